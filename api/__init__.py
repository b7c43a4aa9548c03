"""The HTTP service: parse, call one use case, render."""
