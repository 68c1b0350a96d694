"""The command line: the lazy group ``leaven``, and the commands about the kernel itself."""
