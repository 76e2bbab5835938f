from django.contrib.auth.models import User
from django.db import models


class Organization(models.Model):
    name = models.CharField(max_length=100)
    members = models.ManyToManyField(User)

    def __str__(self) -> str:
        return self.name


class Connection(models.Model):
    seller = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    buyer = models.ForeignKey(Organization, models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"{self.seller} to {self.buyer}"


class Invoice(models.Model):
    class State(models.TextChoices):
        OPEN = "open"
        PAID = "paid"
        VOID = "void"

    connection = models.ForeignKey(Connection, models.PROTECT)
    number = models.CharField(max_length=20)
    state = models.CharField(max_length=10, choices=State)
    cents = models.BigIntegerField()
    method = models.CharField(max_length=20)
    issued_on = models.DateField(db_index=True)

    def __str__(self) -> str:
        return self.number

    @property
    def total(self) -> float:
        return self.cents / 100


class Notification(models.Model):
    user = models.ForeignKey(User, models.PROTECT)
    text = models.CharField(max_length=200)
    is_read = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index("user", name="floor_unread", condition=models.Q(is_read=False)),
        ]

    def __str__(self) -> str:
        return self.text
