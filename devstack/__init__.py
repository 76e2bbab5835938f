"""What `./run.py` does once .venv stands: the demo and the checks, each with its own servers.

Standard library only (and POSIX), so that it can say what is wrong when the product itself does not
start. It is a tool for developers: nothing of the product imports it.
"""
