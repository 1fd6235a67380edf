"""COLMAP's binary cameras, images and points: what the experiments on poses read, change and compare. Needs numpy."""
import struct
from pathlib import Path

import numpy as np

# Parameters of each camera model that we read, in COLMAP's order.
MODELS = {0: "f cx cy", 1: "fx fy cx cy", 2: "f cx cy k1", 3: "f cx cy k1 k2", 4: "fx fy cx cy k1 k2 p1 p2",
          6: "fx fy cx cy k1 k2 p1 p2 k3 k4 k5 k6"}


def rotation(q):
    w, x, y, z = np.asarray(q) / np.linalg.norm(q)
    return np.array([[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                     [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                     [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]])


def quaternion(r):
    w, v = np.linalg.eigh(np.array(
        [[r[0, 0] + r[1, 1] + r[2, 2], r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]],
         [r[2, 1] - r[1, 2], r[0, 0] - r[1, 1] - r[2, 2], r[0, 1] + r[1, 0], r[0, 2] + r[2, 0]],
         [r[0, 2] - r[2, 0], r[0, 1] + r[1, 0], r[1, 1] - r[0, 0] - r[2, 2], r[1, 2] + r[2, 1]],
         [r[1, 0] - r[0, 1], r[0, 2] + r[2, 0], r[1, 2] + r[2, 1], r[2, 2] - r[0, 0] - r[1, 1]]]))
    q = v[:, 3]
    return q if q[0] >= 0 else -q


def turn(v):
    """Rotation matrix of a rotation vector."""
    angle = np.linalg.norm(v)
    k = np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
    if angle < 1e-12:
        return np.eye(3) + k
    return np.eye(3) + np.sin(angle) / angle * k + (1 - np.cos(angle)) / angle**2 * k @ k


def model_folder(scene):
    for folder in (Path(scene) / "sparse/0", Path(scene) / "sparse", Path(scene)):
        if (folder / "cameras.bin").exists():
            return folder
    raise SystemExit(f"{scene}: no binary COLMAP model")


def read_cameras(folder):
    data = (folder / "cameras.bin").read_bytes()
    cameras, at = {}, 8
    for _ in range(struct.unpack_from("<Q", data)[0]):
        camera, model, width, height = struct.unpack_from("<IiQQ", data, at)
        names = MODELS[model].split()
        values = struct.unpack_from(f"<{len(names)}d", data, at + 24)
        at += 24 + 8 * len(names)
        cameras[camera] = {"model": model, "width": width, "height": height, **dict(zip(names, values))}
    return cameras


def write_cameras(folder, cameras):
    data = struct.pack("<Q", len(cameras))
    for number, camera in cameras.items():
        data += struct.pack("<IiQQ", number, camera["model"], camera["width"], camera["height"])
        data += struct.pack(f"<{len(MODELS[camera['model']].split())}d", *(camera[n] for n in MODELS[camera["model"]].split()))
    (folder / "cameras.bin").write_bytes(data)


def read_images(folder):
    """By name: id, camera, R, t (camera_from_world), and the bytes of its observations."""
    data = (folder / "images.bin").read_bytes()
    images, at = {}, 8
    for _ in range(struct.unpack_from("<Q", data)[0]):
        number, *pose, camera = struct.unpack_from("<I7dI", data, at)
        end = data.index(b"\0", at + 64)
        name = data[at + 64:end].decode()
        count = struct.unpack_from("<Q", data, end + 1)[0]
        at = end + 9 + 24 * count
        images[name] = {"id": number, "camera": camera, "R": rotation(pose[:4]), "t": np.array(pose[4:]),
                        "observations": data[end + 1:at]}
    return images


def write_images(folder, images):
    data = struct.pack("<Q", len(images))
    for name, image in images.items():
        data += struct.pack("<I7dI", image["id"], *quaternion(image["R"]), *image["t"], image["camera"])
        data += name.encode() + b"\0" + image["observations"]
    (folder / "images.bin").write_bytes(data)


def read_points(folder):
    data = (folder / "points3D.bin").read_bytes()
    points, at = [], 8
    for _ in range(struct.unpack_from("<Q", data)[0]):
        points.append(struct.unpack_from("<3d", data, at + 8))
        at += 51 + 8 * struct.unpack_from("<Q", data, at + 43)[0]
    return np.array(points)


def project(camera, image, points):
    """Pixels and depths of world points; OpenCV's rational distortion."""
    x = points @ image["R"].T + image["t"]
    z = x[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        u, v = x[:, 0] / z, x[:, 1] / z
    k = lambda name: camera.get(name, 0.0)
    s = u * u + v * v
    g = (1 + s * (k("k1") + s * (k("k2") + s * k("k3")))) / (1 + s * (k("k4") + s * (k("k5") + s * k("k6"))))
    ud = u * g + 2 * k("p1") * u * v + k("p2") * (s + 2 * u * u)
    vd = v * g + k("p1") * (s + 2 * v * v) + 2 * k("p2") * u * v
    fx, fy = camera.get("fx", camera.get("f")), camera.get("fy", camera.get("f"))
    return np.stack([fx * ud + camera["cx"], fy * vd + camera["cy"]], 1), z


def seen(camera, image, points):
    """The points in view, at most 2000 of them."""
    px, z = project(camera, image, points)
    inside = (z > 0) & (px[:, 0] >= 0) & (px[:, 1] >= 0) & (px[:, 0] < camera["width"]) & (px[:, 1] < camera["height"])
    rows = np.flatnonzero(inside)
    return points[rows[:: max(1, len(rows) // 2000)]]


def centre(image):
    return -image["R"].T @ image["t"]


def align(start, target, names):
    """`start`'s images mapped by the similarity that takes their cameras on to those of `target`."""
    total = sum(target[n]["R"].T @ start[n]["R"] for n in names)
    u, _, vt = np.linalg.svd(total)
    r = u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt
    a = np.array([r @ centre(start[n]) for n in names])
    b = np.array([centre(target[n]) for n in names])
    ma, mb = a.mean(0), b.mean(0)
    scale = ((a - ma) * (b - mb)).sum() / ((a - ma) ** 2).sum()
    moved = {}
    for name in names:
        rotation_new = start[name]["R"] @ r.T
        c = scale * (r @ centre(start[name]) - ma) + mb
        moved[name] = {**start[name], "R": rotation_new, "t": -rotation_new @ c}
    return moved


def pose_error_px(cameras, images, true_images, points, names, cameras_true=None):
    """Mean over images of the mean distance in pixels between where points are seen from both poses."""
    errors = []
    for name in names:
        camera = (cameras_true or cameras)[true_images[name]["camera"]]
        visible = seen(camera, true_images[name], points)
        a, z = project(cameras[images[name]["camera"]], images[name], visible)
        b, _ = project(camera, true_images[name], visible)
        good = z > 0
        errors.append(np.linalg.norm(a[good] - b[good], axis=1).mean())
    return float(np.mean(errors))
