from django.urls import path

from .views import webhooks

# /webhooks/
urlpatterns = [path("<slug:gateway>/", webhooks.receive_webhook, name="webhook")]
