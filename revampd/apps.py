from django.apps import AppConfig


class RevampdConfig(AppConfig):
    name = "revampd"
