"""Protobuf messages by hand: metastores that no server has written."""


def varint(value):
    out = bytearray()
    while value > 0x7f:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def number(field, value):
    """A field that is a number."""
    return varint(field << 3) + varint(value)


def part(field, content):
    """A field that is text or a message."""
    return varint(field << 3 | 2) + varint(len(content)) + content
