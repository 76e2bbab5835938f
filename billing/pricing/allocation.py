"""How an amount is divided where its parts have to add up: refunds, fees, shares."""

from collections.abc import Sequence


def allocate(amount: int, weights: Sequence[int]) -> list[int]:
    """`amount` minor units divided in proportion to `weights`, to the cent.

    By the largest remainder: each gets its exact share rounded down, and the cents that are left
    go to those who lost most by it, on a tie to the earlier. So no share is a cent off, a weight
    of zero gets nothing, and an amount of at most the sum of the weights takes from none more
    than its weight. Raises ValueError for what is below zero, or if all weights are zero.
    """
    whole = sum(weights)
    if amount < 0 or min(weights, default=0) < 0:
        raise ValueError("only what is zero or more can be divided")
    if amount == 0:
        return [0] * len(weights)
    if whole == 0:
        raise ValueError(f"there is nobody to give {amount} to")
    shares = [amount * weight // whole for weight in weights]
    remainders = [amount * weight % whole for weight in weights]
    left = amount - sum(shares)
    # Sorting is stable: on a tie, the earlier comes first.
    for place in sorted(range(len(weights)), key=lambda place: -remainders[place])[:left]:
        shares[place] += 1
    return shares
