"""What the tests of `--log-dir` share: curves read back, once as TensorBoard reads them and once as TensorFlow does."""

import numpy as np
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

TAGS = ("confidence", "inside", "kb", "mse", "multiplier", "seconds")


def as_tensorboard_reads(folder):
    """Return tag -> [(step, value)] of a run's folder, all of it, in the order of the files."""
    reader = EventAccumulator(str(folder), size_guidance={"scalars": 0}, purge_orphaned_data=False).Reload()
    return {tag: [(event.step, event.value) for event in reader.Scalars(tag)] for tag in reader.Tags()["scalars"]}


def as_tensorflow_reads(folder):
    """The same by TensorFlow's C++ reader, which checks every checksum, and its own messages."""
    curves = {}
    for path in sorted(folder.iterdir()):
        for content in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            event = tf.compat.v1.Event.FromString(content)
            for value in event.summary.value:
                curves.setdefault(value.tag, []).append((event.step, value.simple_value))
    return curves


def expected(rounds):
    """What the log of a record's rounds must be; TensorBoard keeps float32."""
    curves = {tag: [] for tag in TAGS}
    for step, entry in enumerate(rounds, start=1):
        for tag in TAGS:
            value = (entry["bytes_down"] + entry["bytes_up"]) / 1000 if tag == "kb" else entry[tag]
            if value is not None and not np.isnan(value):
                curves[tag].append((step, float(np.float32(value))))
    return {tag: points for tag, points in curves.items() if points}
