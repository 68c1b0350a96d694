"""Copying: folders of a shared drive, brought to a disk of this machine once, however many processes ask for it."""
