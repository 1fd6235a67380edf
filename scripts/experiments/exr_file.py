"""OpenEXR files as pointillist writes them: scan lines, 32-bit float, ZIP. For scripts without other libraries."""
import array
import struct
import sys
import zlib


def read(path):
    """(width, height, {channel: array of floats, rows from the top})."""
    data = open(path, "rb").read()
    if data[:4] != b"\x76\x2f\x31\x01":
        raise SystemExit(f"{path}: not an OpenEXR file")
    at, attributes = 8, {}

    def text():
        nonlocal at
        end = data.index(0, at)
        found, at = data[at:end].decode(), end + 1
        return found

    while name := text():
        text()  # the type
        size = struct.unpack_from("<i", data, at)[0]
        attributes[name] = data[at + 4:at + 4 + size]
        at += 4 + size
    left, top, right, bottom = struct.unpack("<4i", attributes["dataWindow"])
    width, height = right - left + 1, bottom - top + 1
    names, listed = [], attributes["channels"]
    while listed[0]:
        end = listed.index(0)
        names.append(listed[:end].decode())
        kind = struct.unpack_from("<i", listed, end + 1)[0]
        if kind != 2:
            raise SystemExit(f"{path}: channel {names[-1]} is not 32-bit float")
        listed = listed[end + 17:]
    compression = attributes["compression"][0]
    rows_a_block = {0: 1, 2: 1, 3: 16}.get(compression)
    if rows_a_block is None:
        raise SystemExit(f"{path}: compression {compression} is not read here")
    planes = {name: array.array("f", bytes(4 * width * height)) for name in names}
    offsets = struct.unpack_from(f"<{-(-height // rows_a_block)}Q", data, at)
    for offset in offsets:
        first, size = struct.unpack_from("<ii", data, offset)
        first -= top
        rows = min(rows_a_block, height - first)
        block, whole = data[offset + 8:offset + 8 + size], rows * width * 4 * len(names)
        if size < whole:  # differences of halves' bytes, then ZIP
            packed = bytearray(zlib.decompress(block))
            for i in range(1, whole):
                packed[i] = (packed[i] + packed[i - 1] - 128) & 255
            half = (whole + 1) // 2
            block = bytearray(whole)
            block[0::2], block[1::2] = packed[:half], packed[half:]
        values = array.array("f", bytes(block))
        if sys.byteorder == "big":
            values.byteswap()
        for row in range(rows):
            for c, name in enumerate(names):
                begin = (row * len(names) + c) * width
                planes[name][(first + row) * width:(first + row + 1) * width] = values[begin:begin + width]
    return width, height, planes
