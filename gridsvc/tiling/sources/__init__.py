"""Layers as people have them: any format, text and coordinate system -> plain rows, under limits.

``kinds`` says what a file is, one module a format reads it, ``listing`` tells what is in it, ``hints`` what
looks wrong with it, ``guard`` does all that in a process of its own, ``plain`` is how it waits to be used.
"""
