from django.urls import path

from .views import webhooks

# /webhooks/payouts/
urlpatterns = [path("<slug:gateway>/", webhooks.receive_webhook, name="payout-webhook")]
