"""Files of Sub-Orgs for staff: how far each is, and what became of every row."""

from django.contrib import admin

from billing.models import SubOrgImport, SubOrgImportRow

from .records import RecordAdmin


@admin.register(SubOrgImport)
class SubOrgImportAdmin(RecordAdmin):
    list_display = (
        *("confirmed_at", "partner", "total", "invited", "refused"),
        *("finished_at", "confirmed_by"),
    )
    list_filter = (("finished_at", admin.EmptyFieldListFilter),)
    list_select_related = ("partner", "confirmed_by")
    search_fields = ("partner__name",)
    ordering = ("-confirmed_at",)


@admin.register(SubOrgImportRow)
class SubOrgImportRowAdmin(RecordAdmin):
    list_display = ("name", "email", "line", "state", "problem", "sub_org_import")
    list_filter = ("state",)
    list_select_related = ("sub_org_import__partner",)
    search_fields = ("name", "email", "=sub_org_import__id")
    ordering = ("-sub_org_import__confirmed_at", "line")
