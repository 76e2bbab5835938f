"""Two people enter the same key at the same moment."""

from billing.models import UsageRecord
from billing.models.batches import KeyTaken
from billing.models.entries import UsageEntry
from connections.models import Event
from tests.billing.acts import NOW, TODAY, agree
from tests.billing.usage.counting import BOOKING, enter, metered
from tests.guarantees.test_races import race


class TestTheSameKeyAtOnce:
    def test_enters_it_once(self, committed_cast):
        agree(committed_cast, metered(committed_cast))

        for seed in range(4):
            key = f"B-{seed}"
            results = race(*[lambda key=key: enter(committed_cast, key=key)] * 4, seed=seed)

            assert len({record.pk for record in results}) == 1
        assert UsageRecord.objects.count() == 4
        assert Event.objects.filter(code="usage.recorded").count() == 4

    def test_refuses_the_second_of_two_numbers(self, committed_cast):
        agree(committed_cast, metered(committed_cast))

        results = race(lambda: enter(committed_cast, 1), lambda: enter(committed_cast, 2), seed=1)

        assert {type(result) for result in results} == {KeyTaken, UsageRecord}
        assert UsageRecord.objects.count() == 1

    def test_of_a_file_and_of_a_hand_enters_it_once(self, committed_cast):
        agree(committed_cast, metered(committed_cast))
        connection = committed_cast.northwind_bluebird
        entries = [
            UsageEntry(connection.pk, BOOKING, TODAY, 3, f"B-{number}") for number in range(50)
        ]

        race(
            lambda: UsageRecord.enter_all(entries, by=committed_cast.maya, at=NOW),
            lambda: UsageRecord.enter_all(entries[::-1], by=committed_cast.noah, at=NOW),
            lambda: enter(committed_cast, 3, key="B-7"),
            seed=2,
        )

        assert UsageRecord.objects.count() == 50
