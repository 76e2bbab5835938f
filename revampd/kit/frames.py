"""Room for the frames of deep calls: a request's templates lie a hundred calls below its server.

CPython keeps the frames of Python functions in chunks of 16 KiB, which it gets from the kernel as
calls go down, and returns as they come back. Whatever is called again and again just where a chunk
ends costs two system calls and a page fault each time: a third and more of a page's time, on
whichever page happens to lie there. (decision 0023)
"""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# A frame of so many pointers takes a chunk of 512 KiB, of which two fifths are left for what it
# calls. The kernel gives memory to what is used of it alone.
POINTERS = 36_000


def roomy(application: Callable[..., T]) -> Callable[..., T]:
    """The same function, with one chunk for the frames of everything that it calls."""

    def call(*given: object) -> T:
        return application(*given)

    call.__code__ = call.__code__.replace(co_stacksize=POINTERS)
    return call
