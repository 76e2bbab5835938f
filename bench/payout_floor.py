"""The floor under earnings and payouts: SQL that writes the same rows, each table in one statement.

It knows that nothing was collected before, that every Partner has one tier, that nothing was
refunded and that all of it belongs to one week. Also what fills a database to be paid out of.
"""

from typing import Any

# Of Partner p: its connection with Revampd, and a tier with one of three fees.
ACCOUNTS = """
INSERT INTO connections_connection (id, provider_kind, customer_kind, currency, state, created_at,
    active_since, customer_id, provider_id, ahead)
SELECT pg_temp.grown(p, 6), 'PLATFORM', 'PARTNER', 'USD', 'ACTIVE', %(at)s, %(at)s,
    md5('provider' || p)::uuid, md5('platform')::uuid, '0'
    FROM generate_series(0, (%(count)s - 1) / %(share)s) p;
INSERT INTO billing_plan (id, name, description, created_at, provider_id)
    VALUES (md5('tier')::uuid, 'Tier', '', %(at)s, md5('platform')::uuid);
INSERT INTO billing_planversion (id, number, interval, currency, base_price, booking_fee,
    transfer_fee, transaction_fee, published_at, plan_id, provider_id)
SELECT md5('tier' || v)::uuid, v + 1, 'MONTH', 'USD', 9700, 0, 0, 200 + v * 133, %(at)s,
    md5('tier')::uuid, md5('platform')::uuid FROM generate_series(0, 2) v;
ALTER TABLE billing_billingrequest DISABLE TRIGGER USER;
INSERT INTO billing_billingrequest (id, made_by, kind, quantity, timing, effective_date, currency,
    note, terms, seal, proposed_at, expires_at, state, decided_at, decision_note, starts_on,
    connection_id, decided_by_id, proposed_by_id, provider_id, plan_version_id)
SELECT pg_temp.grown(p, 7), 'CUSTOMER', 'PLAN', 1, 'DATE', %(day)s, 'USD', '',
    '{"name": "Tier"}', repeat('0', 64), %(at)s, %(at)s + interval '14 days', 'APPROVED', %(at)s,
    '', %(day)s, pg_temp.grown(p, 6), person.id, person.id, md5('platform')::uuid,
    md5('tier' || p %% 3)::uuid
FROM generate_series(0, (%(count)s - 1) / %(share)s) p, connections_user person;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE billing_billingrequest ENABLE TRIGGER USER;
INSERT INTO billing_subscription (id, currency, start_date, next_invoice_date, connection_id)
SELECT pg_temp.grown(p, 8), 'USD', %(day)s, %(day)s + 31, pg_temp.grown(p, 6)
    FROM generate_series(0, (%(count)s - 1) / %(share)s) p;
INSERT INTO billing_subscriptionitem (id, kind, name, unit_price, booking_fee, transfer_fee,
    quantity, interval, anchor_date, start_date, ending, billed_to, connection_id, request_id,
    subscription_id)
SELECT pg_temp.grown(p, 9), 'PLAN', 'Tier', 9700, 0, 0, 1, 'MONTH', %(day)s, %(day)s, '', %(day)s,
    pg_temp.grown(p, 6), pg_temp.grown(p, 7), pg_temp.grown(p, 8)
    FROM generate_series(0, (%(count)s - 1) / %(share)s) p;
"""
# Every invoice was paid by card, within six hours of noon.
PAYMENTS = """
INSERT INTO billing_paymentmethod (id, gateway, reference, customer_reference, brand, last4,
    exp_month, exp_year, is_default, added_by_id, added_at, connection_id)
SELECT pg_temp.grown(c, 10), 'sandbox', 'card ' || c, 'customer ' || c, 'Visa', '4242', 12, 2049,
    true, person.id, %(at)s, pg_temp.grown(c, 1)
FROM generate_series(1, %(count)s) c, connections_user person;
ALTER TABLE billing_payment DISABLE TRIGGER USER;
INSERT INTO billing_payment (id, currency, amount, refunded, cause, begun_at, state, reference,
    asked_at, settled_at, failure_code, failure, is_hard, connection_id, invoice_id, method_id)
SELECT gen_random_uuid(), 'USD', invoice.total, 0, 'ISSUE', %(noon)s, 'SUCCEEDED', '', %(noon)s,
    %(noon)s + invoice.number %% 100 * interval '3 minutes', '', '', false, invoice.connection_id,
    invoice.id, method.id
FROM billing_invoice invoice
JOIN billing_paymentmethod method ON method.connection_id = invoice.connection_id;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE billing_payment ENABLE TRIGGER USER;
"""

WRITE = (
    """
WITH added AS (
    INSERT INTO payouts_earning (id, account_id, connection_id, partner_id, payment_id,
        authority_id, currency, fee_rate, affiliate_rate, gross, fee, affiliate, net, earned_at,
        earned_on)
    SELECT gen_random_uuid(), account.id, payment.connection_id, account.customer_id, payment.id,
        item.request_id, payment.currency, tier.transaction_fee, 0, payment.amount,
        (payment.amount * tier.transaction_fee + 5000) / 10000, 0,
        payment.amount - (payment.amount * tier.transaction_fee + 5000) / 10000,
        payment.settled_at, payment.settled_at::date
    FROM billing_payment payment
    JOIN connections_connection sub ON sub.id = payment.connection_id
    JOIN connections_connection account
        ON account.customer_id = sub.provider_id AND account.provider_kind = 'PLATFORM'
    JOIN billing_subscriptionitem item ON item.connection_id = account.id
    JOIN billing_billingrequest request ON request.id = item.request_id
    JOIN billing_planversion tier ON tier.id = request.plan_version_id
    WHERE payment.state = 'SUCCEEDED'
    RETURNING id, account_id, net, fee, earned_at
)
INSERT INTO billing_transfer (connection_id, kind, debit, credit, amount, document, at)
SELECT account_id, 'EARNED', 'HELD', 'PAYABLE', net, id, earned_at FROM added
UNION ALL
SELECT account_id, 'FEE_EARNED', 'HELD', 'FEES', fee, id, earned_at FROM added
""",
    """
INSERT INTO payouts_payout (id, connection_id, currency, period_start, period_end, closed_at,
    state, gross, fee, affiliate, carried, credited, banked)
SELECT gen_random_uuid(), account_id, 'USD', date_trunc('week', min(earned_on))::date,
    date_trunc('week', min(earned_on))::date + 7, %(at)s, 'OPEN', 0, 0, 0, 0, 0, 0
FROM payouts_earning GROUP BY account_id
""",
    """
UPDATE payouts_earning earning SET payout_id = payout.id FROM payouts_payout payout
WHERE payout.connection_id = earning.account_id
""",
    "UPDATE payouts_payout SET state = 'AVAILABLE'",
    """
WITH event AS (
    INSERT INTO connections_event (code, at, recorded_at, organization_id, connection_id,
        subject_type, subject_id, facts, origin)
    SELECT 'payout.available', %(at)s, now(), account.customer_id, account.id, 'payouts.payout',
        payout.id::text, jsonb_build_object(
            'week', 'week of ' || to_char(period_start, 'FMDD Mon YYYY'),
            'net', jsonb_build_object('minor', amount, 'currency', 'USD'),
            'carried', jsonb_build_object('minor', 0, 'currency', 'USD'),
            'amount', jsonb_build_object('minor', amount, 'currency', 'USD'),
            'provider', 'Revampd'), '{}'
    FROM payouts_payout payout JOIN connections_connection account
        ON account.id = payout.connection_id
    RETURNING id
)
INSERT INTO connections_outbox (event_id, problem) SELECT id, '' FROM event
""",
)


def pay_out(cursor: Any, at: Any) -> None:
    """All of it, in the transaction of `cursor`."""
    for statement in WRITE:
        cursor.execute(statement, {"at": at})
