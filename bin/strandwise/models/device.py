"""Where TensorFlow trains: threads of the CPU, or a GPU where one is wanted and found."""

import os

from strandwise.formats.notes import Note


def training_device(use_gpu: bool, threads: int) -> Note:
    """Set up TensorFlow, before anything else imports it, and say what it trains on. Without a GPU the CPU is used."""
    for pool in ("INTRAOP", "INTEROP"):
        os.environ[f"TF_NUM_{pool}_THREADS"] = str(threads)
    import tensorflow

    found = tensorflow.config.list_physical_devices("GPU")
    if use_gpu and found:
        for device in found:
            tensorflow.config.experimental.set_memory_growth(device, True)
        name = tensorflow.config.experimental.get_device_details(found[0]).get("device_name", found[0].name)
        return Note("info", f"The networks were trained on a GPU ({name}).")
    if use_gpu:
        built = "" if tensorflow.test.is_built_with_cuda() else "; this TensorFlow is built for CPUs only"
        text = (
            f"--use_gpu: TensorFlow found no GPU{built}. The networks were trained on the CPU: the same model, later."
        )
        return Note("warning", text)
    tensorflow.config.set_visible_devices([], "GPU")
    return Note("info", f"The networks were trained on the CPU with {threads} thread{'s' if threads > 1 else ''}.")
