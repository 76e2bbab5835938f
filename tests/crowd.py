"""A crowd of customers whose periods come due on one day: thousands of them in a few statements.

For what needs numbers and not a story: the measurements of bench/ and the tests that kill things.
The same `count` and `day` give the same rows. Every item has the approved request that allows it.
"""

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from billing import terms
from billing.pricing import Interval, ItemKind, Offer, Running, Timing, preview
from revampd.kit.money import Money

CUSTOMERS_OF_A_PROVIDER = 50
ADD_ONS = ("Phone numbers", "Extra seats", "Campaigns")

# Ids that grow with the customers, as `growing_id` gives them: what belongs to one lies together.
IDS = """
CREATE FUNCTION pg_temp.grown(customer bigint, kind integer, number bigint DEFAULT 0) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex(customer), 12, '0') || '70008' || lpad(to_hex(kind), 3, '0')
        || lpad(to_hex(number), 12, '0'))::uuid
$$;
"""
# A person who is an owner of every customer, and what is on sale at every provider.
PEOPLE = """
INSERT INTO connections_user (password, is_superuser, email, name, time_zone, is_active, is_staff,
    date_joined)
VALUES ('!', false, 'owner@example.com', 'Olive Owner', 'UTC', true, false, %(at)s);
INSERT INTO connections_organization (id, kind, state, name, slug, legal_name, address,
    billing_email, tax_number, time_zone, created_at)
SELECT md5('platform')::uuid, 'PLATFORM', 'ACTIVE', 'Revampd', 'revampd', '', '', '', '', 'UTC',
    %(at)s
UNION ALL
SELECT md5('provider' || p)::uuid, 'PARTNER', 'ACTIVE', 'Agency ' || p, 'agency-' || p,
    'Agency ' || p || ' Ltd.', p || ' Market Street, Springfield',
    'billing@agency-' || p || '.test', 'US' || p, %(zone)s, %(at)s
    FROM generate_series(0, (%(count)s - 1) / %(share)s) p
UNION ALL
SELECT md5('customer' || c)::uuid, 'SUB_ORG', 'ACTIVE', 'Clinic ' || c, 'clinic-' || c, '',
    c || ' Harbor Road, Springfield', 'office@clinic-' || c || '.test', '', 'UTC', %(at)s
    FROM generate_series(1, %(count)s) c;
INSERT INTO connections_membership (role, joined_at, user_id, organization_id)
SELECT 'OWNER', %(at)s, person.id, organization.id
FROM connections_user person, connections_organization organization
WHERE organization.kind = 'SUB_ORG';
INSERT INTO connections_connection (id, provider_kind, customer_kind, currency, state, created_at,
    active_since, customer_id, provider_id, ahead)
SELECT pg_temp.grown(c, 1), 'PARTNER', 'SUB_ORG', 'USD', 'ACTIVE', %(at)s, %(at)s,
    md5('customer' || c)::uuid, md5('provider' || (c - 1) / %(share)s)::uuid, '0'
    FROM generate_series(1, %(count)s) c;
"""
# Besides, an owner of each customer's own, for what depends on how many people there are.
OWNERS = """
INSERT INTO connections_user (password, is_superuser, email, name, time_zone, is_active, is_staff,
    date_joined)
SELECT '!', false, 'person' || c || '@clinic-' || c || '.test', 'Person ' || c, 'UTC', true, false,
    now() FROM generate_series(1, %(count)s) c;
INSERT INTO connections_membership (role, joined_at, user_id, organization_id)
SELECT 'OWNER', now(), person.id, organization.id FROM connections_user person
    JOIN connections_organization organization
    ON organization.slug = split_part(split_part(person.email, '@', 2), '.', 1)
    WHERE person.name LIKE 'Person %%';
"""
# Besides, a card of the sandbox for each of them, that pays.
CARDS = """
INSERT INTO billing_sandboxmethod (reference, customer, card, exp_month, exp_year, is_confirmed)
SELECT 'pm_' || id, id::text, 'visa', 12, 2049, false FROM connections_connection;
INSERT INTO billing_paymentmethod (id, connection_id, gateway, reference, customer_reference, brand,
    last4, exp_month, exp_year, is_default, added_by_id, added_at)
SELECT md5('card' || connection.id)::uuid, connection.id, 'sandbox', 'pm_' || connection.id,
    connection.id::text, 'Visa', '4242', 12, 2049, true, person.id, connection.created_at
FROM connections_connection connection, connections_user person
WHERE person.email = 'owner@example.com';
"""
CATALOG = """
INSERT INTO billing_plan (id, name, description, created_at, provider_id)
SELECT md5('plan' || p)::uuid, 'Growth', '', %(at)s, md5('provider' || p)::uuid
    FROM generate_series(0, (%(count)s - 1) / %(share)s) p;
INSERT INTO billing_planversion (id, number, interval, currency, base_price, booking_fee,
    transfer_fee, published_at, plan_id, provider_id)
SELECT md5('version' || p || '.' || v)::uuid, v + 1, 'MONTH', 'USD', 4900 + v * 2500, 0, 0, %(at)s,
    md5('plan' || p)::uuid, md5('provider' || p)::uuid
    FROM generate_series(0, (%(count)s - 1) / %(share)s) p, generate_series(0, 9) v;
INSERT INTO billing_addon (id, name, description, created_at, currency, unit_price, provider_id)
SELECT md5('add-on' || p || '.' || a)::uuid, (%(add_ons)s::text[])[a], '', %(at)s, 'USD',
    500 + a * 250, md5('provider' || p)::uuid
    FROM generate_series(0, (%(count)s - 1) / %(share)s) p, generate_series(1, 3) a;
"""
# Customer c has c %% 4 add-ons: one and a half on average.
AGREED = """
CREATE TEMPORARY TABLE agreed ON COMMIT DROP AS
SELECT c, a, pg_temp.grown(c, 2, a) AS request,
    pg_temp.grown(c, 3, a) AS item, pg_temp.grown(c, 1) AS connection,
    (c - 1) / %(share)s AS p, CASE a WHEN 0 THEN 'PLAN' ELSE 'ADD_ON' END AS kind,
    CASE a WHEN 0 THEN 'Growth' ELSE (%(add_ons)s::text[])[a] END AS name,
    CASE a WHEN 0 THEN 4900 + c * 7 %% 10 * 2500 ELSE 500 + a * 250 END AS price,
    CASE a WHEN 0 THEN 1 ELSE 1 + (c + a) %% 3 END AS quantity
FROM generate_series(1, %(count)s) c, generate_series(0, 3) a WHERE a <= c %% 4;
ALTER TABLE billing_billingrequest DISABLE TRIGGER USER;
INSERT INTO billing_billingrequest (id, made_by, kind, quantity, timing, effective_date, currency,
    note, terms, seal, proposed_at, expires_at, state, decided_at, decision_note, starts_on,
    add_on_id, connection_id, decided_by_id, proposed_by_id, provider_id, plan_version_id)
SELECT request, 'PROVIDER', kind, quantity, 'DATE', %(day)s, 'USD', '',
    %(terms)s::jsonb || jsonb_build_object('kind', kind, 'name', agreed.name, 'unit_price', price,
        'quantity', quantity, 'provider', 'Agency ' || p, 'customer', 'Clinic ' || c),
    repeat('0', 64), %(at)s, %(at)s + interval '14 days', 'APPROVED', %(at)s, '', %(day)s,
    CASE a WHEN 0 THEN NULL ELSE md5('add-on' || p || '.' || a)::uuid END,
    connection, person.id, person.id, md5('provider' || p)::uuid,
    CASE a WHEN 0 THEN md5('version' || p || '.' || c * 7 %% 10)::uuid END
FROM agreed, connections_user person;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE billing_billingrequest ENABLE TRIGGER USER;
INSERT INTO billing_subscription (id, currency, start_date, next_invoice_date, connection_id)
SELECT pg_temp.grown(c, 4), 'USD', %(day)s, %(day)s, pg_temp.grown(c, 1)
    FROM generate_series(1, %(count)s) c;
INSERT INTO billing_subscriptionitem (id, kind, name, unit_price, booking_fee, transfer_fee,
    quantity, interval, anchor_date, start_date, ending, billed_to, connection_id, request_id,
    subscription_id)
SELECT item, kind, name, price, 0, 0, quantity, 'MONTH', %(day)s, %(day)s, '', %(day)s,
    connection, request, pg_temp.grown(c, 4)
FROM agreed;
"""
# A fifth of them have one to three credits.
CREDITS = """
INSERT INTO billing_credit (id, currency, origin, amount, applied, reason, issued_at, connection_id)
SELECT pg_temp.grown(c, 5, n), 'USD', 'ADJUSTMENT', 1000 + (c * 31 + n) %% 20 * 500, 0,
    'For a recommendation', %(at)s + n * interval '1 day', pg_temp.grown(c, 1)
FROM generate_series(5, %(count)s, 5) c, generate_series(1, 3) n WHERE n <= 1 + c / 5 %% 3;
INSERT INTO billing_transfer (kind, debit, credit, amount, document, at, connection_id)
SELECT 'GRANTED', 'GRANTS', 'WALLET', amount, id, issued_at, connection_id
FROM billing_credit ORDER BY issued_at, id;
"""


def seed(
    cursor: Any, count: int, day: date, share: int = CUSTOMERS_OF_A_PROVIDER, zone: str = "UTC"
) -> None:
    """Fill an empty database: `count` customers, `share` of them with each provider, all of whom do
    business in the time zone `zone`.

    `cursor` is the schema's owner's, in a transaction, and binds values in the client, as those of
    Django do: PostgreSQL itself takes none for several statements at once.
    """
    values = {
        "count": count,
        "share": share,
        "add_ons": list(ADD_ONS),
        "day": day,
        "zone": zone,
        "at": datetime.combine(day - timedelta(days=20), time(9), UTC),
        "terms": json.dumps(_promised(day)),
    }
    for statements in (IDS, PEOPLE, CATALOG, AGREED, CREDITS):
        cursor.execute(statements, values)


def _promised(day: date) -> terms.Terms:
    """What sealed terms look like; the offer itself is filled in row by row."""
    price = Money(49_00)
    offer = Offer(ItemKind.PLAN, "", price, 1, Interval.MONTH, Timing.DATE, day)
    particulars = dict.fromkeys(("connection", "provider", "customer", "item", "note"), "")
    return terms.compose(
        offer,
        preview(offer, Running(), day),
        None,
        day=day,
        **particulars,
        version=1,
        booking_fee=0,
        transfer_fee=0,
    )
