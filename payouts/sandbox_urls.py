from django.urls import path

from .views import sandbox

app_name = "sandbox-bank"

# /sandbox/links/, where no money is real
urlpatterns = [path("<str:link_reference>/", sandbox.link_page, name="link")]
