"""Binary PLY clouds as numpy tables of their vertices: what the experiments on points read, change and write. Needs numpy."""
import numpy as np

KINDS = {"float": "<f4", "double": "<f8", "uchar": "u1", "uint": "<u4"}


def read(path):
    """A structured array by the properties' names. A list (who saw a dense point) is left out; it must be the last property."""
    data = path.read_bytes()
    at = data.index(b"end_header\n") + 11
    header = data[:at].decode().splitlines()
    count = int(next(line for line in header if line.startswith("element vertex")).split()[2])
    properties = [line.split() for line in header if line.startswith("property")]
    fixed = np.dtype([(words[2], KINDS[words[1]]) for words in properties if words[1] != "list"])
    if len(fixed.names) == len(properties):
        return np.frombuffer(data, fixed, count, at).copy()
    if len(fixed.names) != len(properties) - 1 or properties[-1][1:4] != ["list", "uchar", "uint"]:
        raise SystemExit(f"{path}: expected at most one list, of bytes and uints, as the last property")
    cloud = np.empty(count, fixed)
    for i in range(count):
        cloud[i] = np.frombuffer(data, fixed, 1, at)[0]
        at += fixed.itemsize + 1 + 4 * data[at + fixed.itemsize]
    return cloud


def write(path, cloud):
    words = {np.dtype(kind): word for word, kind in KINDS.items()}
    lines = "".join(f"property {words[cloud.dtype[name]]} {name}\n" for name in cloud.dtype.names)
    path.write_bytes(f"ply\nformat binary_little_endian 1.0\nelement vertex {len(cloud)}\n{lines}end_header\n".encode()
                     + cloud.tobytes())


def vectors(cloud, names):
    """[n, 3] of three properties, in double."""
    return np.stack([cloud[name].astype(np.float64) for name in names], 1)
