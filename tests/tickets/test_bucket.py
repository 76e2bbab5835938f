"""Files of tickets in a bucket: a server that speaks S3, and the settings of the environment."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from moto.server import ThreadedMotoServer

from revampd.settings import attachments
from tests.tickets.acts import message, submit, url
from tickets.keeping import Checked, kept
from tickets.models import Attachment

BUCKET, REGION, KEY, SECRET = "files-of-tickets", "eu-central-1", "key", "secret"
TEXT = "name;größe\n".encode() * 9_000


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The server's address."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, folder: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty bucket, in which a site that is told of it by its environment keeps files."""
    given = {"BUCKET": BUCKET, "ENDPOINT": endpoint, "REGION": REGION}
    for name, value in (given | {"ACCESS_KEY": KEY, "SECRET_KEY": SECRET}).items():
        monkeypatch.setenv(f"REVAMPD_S3_{name}", value)
    settings.STORAGES = settings.STORAGES | {"attachments": attachments()}
    assert type(storages["attachments"]).__name__ == "S3Storage"
    found = boto3.resource(
        "s3", endpoint_url=endpoint, region_name=REGION,
        aws_access_key_id=KEY, aws_secret_access_key=SECRET,
    ).Bucket(BUCKET)  # fmt: skip
    found.create(CreateBucketConfiguration={"LocationConstraint": REGION})
    yield found
    assert not list(folder.iterdir())
    found.objects.delete()
    found.delete()


def names(bucket: Any) -> list[str]:
    return [found.key for found in bucket.objects.all()]


class TestBucket:
    def test_takes_a_file_under_a_name_of_ours_and_gives_it_back(self, cast, as_, bucket):
        ticket, sam = submit(cast), as_(cast.sam)
        file = SimpleUploadedFile("size.csv", TEXT)

        answer = sam.post(url(ticket, "messages/"), message("See.") | {"attachments": file})

        assert answer.status_code == 303
        [stored] = Attachment.objects.all()
        assert names(bucket) == [stored.key] == [str(stored.pk)]
        assert bucket.Object(stored.key).get()["Body"].read() == TEXT
        page = sam.get(url(ticket, f"attachments/{stored.pk}/"))
        assert b"".join(page.streaming_content) == TEXT
        assert page["Content-Disposition"] == 'attachment; filename="size.csv"'

    def test_is_reached_through_the_door_alone(self, cast, as_, bucket, endpoint):
        with kept([Checked("a.csv", "text/plain", TEXT)]) as files:
            ticket = submit(cast, files=files)
        [stored] = files
        here = url(ticket, f"attachments/{stored.pk}/")

        assert as_(cast.oscar).get(here).status_code == 404
        page = as_(cast.sam).get(url(ticket))
        assert endpoint not in page.content.decode()
        assert here in page.content.decode()

    def test_keeps_nothing_of_a_message_that_was_refused(self, cast, as_, bucket):
        ticket, sam = submit(cast), as_(cast.sam)
        given = message("") | {"attachments": SimpleUploadedFile("size.csv", TEXT)}

        assert sam.post(url(ticket, "messages/"), given).status_code == 422
        with kept([Checked("a.csv", "text/plain", TEXT)]):
            assert len(names(bucket)) == 1  # nobody makes a message of it

        assert names(bucket) == []

    def test_that_lost_a_file_says_that_it_is_not_there(self, cast, as_, bucket):
        with kept([Checked("a.csv", "text/plain", TEXT)]) as files:
            ticket = submit(cast, files=files)
        bucket.objects.delete()

        answer = as_(cast.sam).get(url(ticket, f"attachments/{files[0].pk}/"))

        assert answer.status_code == 404
