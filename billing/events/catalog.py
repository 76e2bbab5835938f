"""What stands in a catalog, put on sale, changed and taken off."""

from connections.kinds import EventKind

item_offered = EventKind("catalog_item.offered", "put {name} on sale")
item_changed = EventKind("catalog_item.changed", "changed {name}")
item_archived = EventKind("catalog_item.archived", "took {name} off sale")
version_published = EventKind("plan_version.published", "published version {number} of {name}")
limits_changed = EventKind("price_limits.changed", "changed the price limits")
version_retired = EventKind("plan_version.retired", "retired version {number} of {name}")
