"""The figures of the catalogue."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from datasync.mapping.coverage import Coverage


def _counts(help_text: str) -> serializers.DictField:
    return serializers.DictField(child=serializers.IntegerField(), help_text=help_text)


class PlatformFiles(serializers.Serializer[Any]):
    """A platform and its files."""

    code = serializers.CharField()
    name = serializers.CharField()
    files = serializers.IntegerField()
    by_status = _counts("Files by state; a state without files is left out.")


class OldestPending(serializers.Serializer[Any]):
    """The file that has been waiting for its sync the longest."""

    file_id = serializers.IntegerField()
    name = serializers.CharField()
    first_seen_at = serializers.DateTimeField()


class Stats(serializers.Serializer[Any]):
    """The figures of the whole catalogue. A blank key: files of which it is not known."""

    files = serializers.IntegerField()
    by_status = _counts("Files by state.")
    by_domain = _counts("Files by domain.")
    by_platform = _counts("Files by platform.")
    described_files = serializers.IntegerField(help_text="Files of which platform, domain and granularity are known.")
    covered_files = serializers.IntegerField(help_text="Those that a published template fits.")
    template_coverage = serializers.FloatField(allow_null=True, help_text="Their share in percent; null without files.")
    families = _counts("Families of exports by how they are covered.")
    quarantine_open = serializers.IntegerField(help_text="Quarantined rows that nobody has decided on.")
    oldest_pending = OldestPending(allow_null=True)


class NewestTemplate(serializers.Serializer[Any]):
    """The template of a family that was published last."""

    template_id = serializers.IntegerField()
    name = serializers.CharField()
    version = serializers.IntegerField()
    published_at = serializers.DateTimeField(allow_null=True)


class OutdatedTemplate(serializers.Serializer[Any]):
    """A template from which its files' headers have moved away, not so far that they are blocked."""

    template_id = serializers.IntegerField()
    name = serializers.CharField()
    files = serializers.IntegerField()


class FamilyCoverage(serializers.Serializer[Any]):
    """A family of exports: whether published templates fit its files."""

    family = serializers.CharField(source="family.key")
    platform = serializers.CharField(source="family.platform")
    source_platform = serializers.CharField(source="family.source_platform")
    domain = serializers.CharField(source="family.domain")
    sub_domain = serializers.CharField(source="family.sub_domain", allow_blank=True)
    granularity = serializers.CharField(source="family.granularity")
    status = serializers.ChoiceField([status.value for status in Coverage])
    files = serializers.IntegerField()
    covered = serializers.IntegerField()
    blocked = serializers.IntegerField(help_text="Their header has changed; the template needs an update.")
    unmatched = serializers.IntegerField(help_text="No published template is theirs.")
    drifted = serializers.IntegerField(help_text="Covered, but the header has moved away from the template.")
    variants = serializers.IntegerField(help_text="Published templates.")
    newest_template = NewestTemplate(source="newest", allow_null=True)
    outdated_templates = OutdatedTemplate(source="outdated", many=True)
    example_file_id = serializers.IntegerField(help_text="The newest file that is not covered, or the newest of all.")
