"""Surveys in bulk, oldest first as an export has them: as NDJSON and as rows for COPY."""

import datetime
import hashlib
import json

SCALE = 10_000_000  # so many in three years
FIRST = datetime.datetime(2023, 10, 1, tzinfo=datetime.timezone.utc)
STEP_S = 3 * 365 * 86400 / SCALE
COMMENT = "Resolveram na hora, mas a espera foi longa."
COLUMNS = ("workspace_id", "id", "type", "score", "scale_min", "scale_max", "solicited", "comment", "channel",
           "segment", "touchpoint", "answered_at", "content_hash", "comment_language")
WINDOW = 500  # records in a transaction of the service's imports


def moment(number):
    return (FIRST + datetime.timedelta(seconds=int(number * STEP_S))).strftime("%Y-%m-%dT%H:%M:%SZ")


def labels(number):
    mixed = number * 2654435761 % 4294967296
    return mixed % 11, mixed // 11 % 4 + 1, mixed // 44 % 5 + 1, mixed // 220 % 4 + 1


def ndjson(prefix, first, count):
    """Bytes of so many lines."""
    lines = []
    for number in range(first, first + count):
        score, channel, segment, touchpoint = labels(number)
        lines.append(f'{{"id":"{prefix}-{number}","type":"nps","score":{score},"segment":"segment-{segment}",'
                     f'"channel":"channel-{channel}","touchpoint":"touchpoint-{touchpoint}",'
                     f'"answered_at":"{moment(number)}","comment":{json.dumps(COMMENT)}}}\n')
    return "".join(lines).encode()


def copy_text(workspace, prefix, first, count):
    """The same surveys as COPY's text format, with their language, as the service inserts them."""
    lines = []
    for number in range(first, first + count):
        score, channel, segment, touchpoint = labels(number)
        key = f"{prefix}-{number}"
        digest = hashlib.md5(key.encode()).hexdigest()
        lines.append(f"{workspace}\t{key}\tnps\t{score}\t0\t10\tt\t{COMMENT}\tchannel-{channel}\tsegment-{segment}\t"
                     f"touchpoint-{touchpoint}\t{moment(number)}\t\\\\x{digest}\tpt\n")
    return "".join(lines)
