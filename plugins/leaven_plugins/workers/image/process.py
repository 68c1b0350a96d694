"""The process of a worker: settings of OpenCV that hold for all of it, and so are left alone in anybody else's."""

from __future__ import annotations

import os

import cv2


def settle() -> None:
    """Make OpenCV work in one thread, and write nothing about damaged images, in a process that serves the loader."""
    if os.environ.get("LEAVEN_WORKER") == "1":
        cv2.setNumThreads(0)
        cv2.ocl.setUseOpenCL(False)
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
