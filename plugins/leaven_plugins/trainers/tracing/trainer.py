"""TracingTrainer: training along traces, as far as the network follows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from leaven.protocols import Loss, Metric, Model
from leaven_plugins.trainers.feedback import Feedback
from leaven_plugins.trainers.options import with_options_of
from leaven_plugins.trainers.standard.measures import Measures
from leaven_plugins.trainers.standard.precision import device_of
from leaven_plugins.trainers.standard.trainer import Trainer
from leaven_plugins.trainers.stream import Afresh, Stream
from leaven_plugins.trainers.tracing.example import Example
from leaven_plugins.trainers.tracing.following import Ended, Following, Rule
from leaven_plugins.trainers.tracing.lengths import TraceLengths
from leaven_plugins.trainers.tracing.saving import save_batch


class TracingTrainer(Trainer):
    """The standard trainer, whose data yields :class:`~leaven_plugins.trainers.tracing.example.Example` objects.

    ``batch_size`` examples are followed side by side. Each gives a sample, is told the network's output for it, and
    gives the next one. It is gone on with while the output keeps on its track; then its row gets a new one from the
    data. So the network is trained at places where it came itself, off the ideal line, too: as in imitation learning
    with aggregated data (Ross, Gordon and Bagnell, "A reduction of imitation learning and structured prediction to
    no-regret online learning", AISTATS 2011).

    Every batch is an ordinary step. An epoch ends when the data has ended and every row is at its end; how many steps
    that takes is not known before, so policies count whole epochs. With ``limit_train`` epochs have that many steps,
    and rows go on from one into the next. Records have ``length``, the mean number of steps of the traces that ended in
    the epoch, and ``lost``, the share of these that lost their track.

    A snapshot amid an epoch is gone on with exactly if examples have a state, and the data yields the same ones in each
    pass or has a state itself, by as many processes as made it (which need ``limit_train``, so that none has ended its
    epoch before the others); otherwise ``restore`` says that the data begins anew.

    Args:
        network: as for :class:`~leaven_plugins.trainers.standard.trainer.Trainer`, like everything that is not below.
        optimizer: likewise.
        loss: likewise.
        metric: likewise.
        train_iter: examples to train on.
        val_iter: examples to validate on, which are followed likewise.
        val_metric: metrics in validation, by default ``metric``.
        batch_size: examples that are followed side by side.
        sequence_training: go on with an example as long as it is on its track; otherwise each gives one sample.
        max_length: steps after which an example is left in any case; 0 for no limit. Closed tracks need one.
        output_key: key of what examples are told.
        **options: of the standard trainer.

    Raises:
        ParameterError: a value is out of range.
    """

    @with_options_of(Trainer.__init__)
    def __init__(
        self,
        network: Model,
        optimizer: Any,
        loss: Loss,
        metric: Metric | Sequence[Metric] = (),
        train_iter: Iterable[Example] = (),
        val_iter: Iterable[Example] | None = None,
        val_metric: Metric | Sequence[Metric] | None = None,
        batch_size: int = 8,
        sequence_training: bool = True,
        max_length: int = 0,
        output_key: str = "output",
        **options: Any,
    ) -> None:
        self._feedback: Feedback[list[Ended]] = Feedback()
        self._rule = Rule(batch_size, sequence_training, max_length, output_key)
        self._device = device_of(network.parameters())  # type: ignore[attr-defined]
        lengths = TraceLengths(self._feedback)
        super().__init__(
            network,
            optimizer,
            loss,
            (*Measures(metric).metrics, lengths),
            train_iter=Stream(train_iter, self._begin, self._feedback),
            val_iter=None if val_iter is None else Afresh(val_iter, self._begin, self._feedback),
            val_metric=None if val_metric is None else (*Measures(val_metric).metrics, lengths),
            **options,
        )

    save_batch = staticmethod(save_batch)

    def trace(self, examples: Iterable[Example]) -> dict[str, float]:
        """Follow examples with the network as it is, in evaluation mode, without a trace in the run.

        Returns:
            ``loss``, the validation's metrics, ``length`` and ``lost``.
        """
        return self.test(Stream(examples, self._begin, self._feedback))

    def _begin(self, examples: Iterable[Example], state: Mapping[str, Any] | None) -> Following:
        return Following(examples, self._rule, self._device, state)
