from django.urls import path

from .views import sandbox

app_name = "sandbox"

# /sandbox/, where the gateway is the sandbox
urlpatterns = [
    path("setups/<str:setup_reference>/", sandbox.setup_page, name="setup"),
    path("confirmations/<str:charge_reference>/", sandbox.confirmation_page, name="confirmation"),
]
