"""The forms about notifications. They validate; the verbs of the models act."""

from .choices import DefaultsForm, PreferencesForm
from .narrowing import NarrowingForm

__all__ = ["DefaultsForm", "NarrowingForm", "PreferencesForm"]
