#!/usr/bin/env python3
"""OpenCV's semi-global matching as a yardstick for `densify`: docs/dense.md, "Truth".

    scripts/experiments/opencv_stereo.py SCENE OUT.ply [--partners 4] [--agree 2]

SCENE is a folder that `pointillist synth` made (poses and the camera come from its truth.json). Every training photo is
rectified with its nearest neighbours, matched by StereoSGBM both ways, and its depths are compared in the photo's own pixels: a
depth stays where AGREE partners agree within 1 %. Needs opencv-python-headless and numpy, which the program itself does not use.
Prints JSON: points, seconds of all cores, photos.
"""
import argparse
import json
import time
from pathlib import Path

import cv2
import numpy as np


def centre(image):
    return -np.asarray(image["rotation"]).T @ np.asarray(image["translation_m"])


def partners_of(images, i, count):
    """The nearest cameras that look the same way (within 30 degrees)."""
    me = images[i]
    forward = np.asarray(me["rotation"])[2]
    near = []
    for j, other in enumerate(images):
        cosine = float(forward @ np.asarray(other["rotation"])[2])
        distance = float(np.linalg.norm(centre(other) - centre(me)))
        if j != i and cosine > np.cos(np.radians(30)) and distance > 0:
            near.append((distance, j))
    return [j for _, j in sorted(near)[:count]]


def depths_of_pair(photo_a, photo_b, a, b, matrix, distortion):
    """Depth (camera z) of photo a's own pixels from one rectified pair; 0: none."""
    height, width = photo_a.shape[:2]
    rotation_a, rotation_b = np.asarray(a["rotation"]), np.asarray(b["rotation"])
    rotation = rotation_b @ rotation_a.T
    translation = np.asarray(b["translation_m"]) - rotation @ np.asarray(a["translation_m"])
    r1, r2, p1, p2, q, _, _ = cv2.stereoRectify(matrix, distortion, matrix, distortion, (width, height), rotation,
                                                translation.reshape(3, 1), flags=cv2.CALIB_ZERO_DISPARITY, alpha=0)
    vertical = abs(p2[1, 3]) > abs(p2[0, 3])
    maps = [cv2.initUndistortRectifyMap(matrix, distortion, r, p, (width, height), cv2.CV_32FC1) for r, p in ((r1, p1), (r2, p2))]
    left, right = [cv2.remap(photo, m[0], m[1], cv2.INTER_LINEAR) for photo, m in zip((photo_a, photo_b), maps)]
    if vertical:
        left, right = (np.ascontiguousarray(np.transpose(x, (1, 0, 2))) for x in (left, right))
    baseline = p2[1 if vertical else 0, 3]
    if baseline > 0:  # b lies on the other side: mirrored, so that disparities are positive
        left, right = (np.ascontiguousarray(x[:, ::-1]) for x in (left, right))
    matcher = cv2.StereoSGBM_create(0, 128, 5, 8 * 3 * 25, 32 * 3 * 25, 1, 63, 10, 100, 2, cv2.STEREO_SGBM_MODE_HH)
    disparity = matcher.compute(left, right).astype(np.float32) / 16
    if baseline > 0:
        disparity = disparity[:, ::-1]
    if vertical:
        disparity = disparity.T
    rectified = np.where(disparity > 0.5, abs(baseline) / np.maximum(disparity, 1e-3), 0).astype(np.float32)
    # Back to the photo's own pixels: their rays, turned into the rectified frame.
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).reshape(-1, 1, 2).astype(np.float32)
    rays = cv2.undistortPoints(grid, matrix, distortion).reshape(-1, 2)
    turned = np.c_[rays, np.ones(len(rays))] @ r1.T
    x = (p1[0, 0] * turned[:, 0] / turned[:, 2] + p1[0, 2]).reshape(height, width).astype(np.float32)
    y = (p1[1, 1] * turned[:, 1] / turned[:, 2] + p1[1, 2]).reshape(height, width).astype(np.float32)
    found = cv2.remap(rectified, x, y, cv2.INTER_NEAREST)
    return found / turned[:, 2].reshape(height, width)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scene", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--partners", type=int, default=4)
    parser.add_argument("--agree", type=int, default=2)
    options = parser.parse_args()
    truth = json.loads((options.scene / "truth.json").read_text())
    camera = truth["camera"]
    # OpenCV's pixel centres are whole numbers.
    matrix = np.array([[camera["fx"], 0, camera["cx"] - 0.5], [0, camera["fy"], camera["cy"] - 0.5], [0, 0, 1]])
    distortion = np.array([camera["k1"], camera["k2"], camera["p1"], camera["p2"]])
    images = [image for image in truth["images"] if not image["held_out"]]
    start = time.process_time()
    photos = [cv2.imread(str(options.scene / "images" / image["name"])) for image in images]
    points = []
    for i, image in enumerate(images):
        maps = np.stack([depths_of_pair(photos[i], photos[j], image, images[j], matrix, distortion)
                         for j in partners_of(images, i, options.partners)])
        maps[~(maps > 0)] = np.nan
        middle = np.nanmedian(maps, 0)
        close = np.abs(maps / middle - 1) < 0.01
        good = close.sum(0) >= options.agree
        depth = np.nanmean(np.where(close, maps, np.nan), 0)[good]
        height, width = good.shape
        y, x = np.nonzero(good)
        rays = cv2.undistortPoints(np.stack([x, y], -1).reshape(-1, 1, 2).astype(np.float64), matrix, distortion).reshape(-1, 2)
        position = np.c_[rays, np.ones(len(rays))] * depth[:, None] - np.asarray(image["translation_m"])
        points.append((position @ np.asarray(image["rotation"])).astype("<f4"))
    points = np.concatenate(points)
    seconds = time.process_time() - start
    header = (f"ply\nformat binary_little_endian 1.0\nelement vertex {len(points)}\nproperty float x\nproperty float y\n"
              "property float z\nend_header\n")
    options.out.write_bytes(header.encode() + points.tobytes())
    print(json.dumps({"points": len(points), "cpu_seconds": round(seconds, 1), "photos": len(images)}))


if __name__ == "__main__":
    main()
