// Where a training runs: its folder of checkpoints, and a GPU where one is wanted and found.

// The folder in which checkpoints are kept, made here so that it belongs to whoever runs this; '' where tasks share no disk.
def checkpointFolder(options) {
    def folder = options.training_folder ? file(options.training_folder, type: 'dir') : workflow.workDir.resolve("training/${options.model_name}")
    if (folder.toUri().scheme != 'file') {
        log.warn("${folder.toUriString()}: no disk that tasks share, so no checkpoints are kept: a training that is killed begins anew")
        return ''
    }
    folder.mkdirs()
    return folder.toAbsolutePath().toString()
}

// What a container needs beside the work folder: the checkpoints, and the GPU of the machine that the task comes to, if it has one.
def containerWords(meta, engine) {
    def gpu = [docker: '--gpus all', podman: '--device nvidia.com/gpu=all'][engine]
    if (gpu) {
        return [
            meta.checkpoints ? "--volume '${meta.checkpoints}:${meta.checkpoints}'" : '',
            meta.use_gpu ? "\$(command -v nvidia-smi >/dev/null && echo ${gpu})" : '',
        ].join(' ').trim()
    }
    // Singularity and Apptainer: --nv does no harm where there is no GPU.
    return [meta.checkpoints ? "--bind '${meta.checkpoints}'" : '', meta.use_gpu ? '--nv' : ''].join(' ').trim()
}
