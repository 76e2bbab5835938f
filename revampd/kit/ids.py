"""Ids for rows that others by the thousand point at, or that are written so themselves."""

import os
import time
from uuid import UUID


def growing_id() -> UUID:
    """A UUID of version 7: it begins with the time, so that new rows are neighbours in an index.

    Those of version 4 lie scattered: each insert touches pages of its own, the more of them the
    larger the table is.
    """
    milliseconds, chance = time.time_ns() // 1_000_000, int.from_bytes(os.urandom(10))
    version, variant = 0x7 << 76, 0b10 << 62
    kept = chance & ~(0xF << 76) & ~(0b11 << 62)
    return UUID(int=milliseconds << 80 | kept | version | variant)


# The same in SQL, for rows that a statement makes by the thousand.
GROWING_ID = """
    (substr(clock.hex, 1, 8) || '-' || substr(clock.hex, 9) || '-7'
        || substr(gen_random_uuid()::text, 16))::uuid
"""
CLOCK = """
    (SELECT lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') AS hex)
    clock
"""
