"""Settings, all from the environment: docs/settings.md lists them, a file here a noun.

In production the process refuses to start on a setting that is missing or unsafe: `safety.py`.
"""

from .environment import *
from .site import *
from .data import *
from .people import *
from .mail import *
from .work import *
from .payments import *
from .files import *
from .browsers import *
from .watching import *
from .safety import refuse_strangers

if IS_PRODUCTION:
    refuse_strangers(env.asked)
