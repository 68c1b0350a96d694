"""Workers: what turns packed samples into rows of a batch."""
