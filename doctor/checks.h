// The checks, each with its limits. A check reads the evidence, adds figures of the images where it has any, and
// findings where a limit is passed. Limits were set so that three real scenes and synthetic ones pass (docs/doctor.md).
#pragma once

#include "doctor/evidence.h"

namespace ptl::doctor {

/// Photos and masks as files: missing, damaged, of the wrong size, masks that are empty or full.
struct FileLimits {
  double empty_mask = 0.005;  ///< less than this share is white: the photo counts for nothing
  double full_mask = 0.9995;  ///< more than this of every mask is white: masks without effect
};
void check_files(const Evidence& evidence, Diagnosis& diagnosis, const FileLimits& limits = {});

/// Calibrations against photos and EXIF; sizes and numbers of cameras.
struct CameraLimits {
  double focal_note = 1.15;    ///< ratio of the focal length to EXIF's: sensors are cropped, films not quite 3 : 2
  double focal_harmful = 1.5;  ///< beyond it the calibration is of another lens or another size
  double size_ratio = 4;       ///< of the pixel counts of the largest and the smallest photo
  double aspect = 0.01;        ///< relative difference of the scales in x and y that is no rounding
  double centre_off = 0.15;    ///< of the principal point from the middle, share of the longer side
};
void check_cameras(const Evidence& evidence, Diagnosis& diagnosis, const CameraLimits& limits = {});

/// Cameras far from all others, and arrangements that give no depth.
struct ArrangementLimits {
  double far_nearest = 8;  ///< times the 90th percentile of distances to the nearest other camera
  double far_centre = 4;   ///< and times the 90th percentile of distances to the middle of the cameras
  double one_spot = 0.01;  ///< spread of the cameras over the distance to what they see
  double line = 0.02;      ///< second over first singular value of the camera positions
};
void check_arrangement(const Evidence& evidence, Diagnosis& diagnosis, const ArrangementLimits& limits = {});

/// Images whose sparse points do not project to where they were observed, or that see few points.
struct ObservationLimits {
  double worse_than_median = 4;               ///< an image's median error over the median of the images'
  double least_px = 2, least_share = 0.0007;  ///< and at least this many pixels and this share of the longer side
  double severe_share = 0.01;                 ///< beyond it the pose is of another place
  double whole_px = 3, whole_share = 0.002;   ///< the median image's error from which all together are wrong
  double behind_share = 0.2;                  ///< of an image's observed points behind it
  double few_share = 0.1;                     ///< points seen, of the median image's
  int few_points = 30;                        ///< and fewer than this, or:
  int hardly_any = 8;                         ///< fewer than this, whatever the others have
};
void check_observations(const Evidence& evidence, Diagnosis& diagnosis, const ObservationLimits& limits = {});

/// A motion of the camera during the readout that explains where points were observed.
struct ShutterLimits {
  size_t least_points = 60, most_points = 2000;  ///< of a photo: fewer say nothing, more are sampled
  size_t least_photos = 8;                       ///< with so many points
  double prior_share = 0.01;  ///< of the longer side: by so much poses and motions are expected to move points
  double gain = 0.2;          ///< of a photo's squared residuals: from there on the photo moved, with
  double note_px = 1;         ///< at least so much motion during the readout, and
  double own_share = 0.5;  ///< so much of it beside the median motion of the camera's photos: what is the same in all
                           ///< of them looks like a wrong calibration
  double moved_share = 0.25;   ///< of the photos that moved
  double rows_better = 0.75;   ///< of the photos where a readout by rows explains more than one by columns, and
  double left_by_rows = 0.97;  ///< what rows leave, as a share of what columns leave, in the median photo: what else is
                               ///< wrong with a lens or a model goes with columns as well
  double harmful_px = 2;  ///< motion of the median photo of those that moved
};
void check_shutter(const Evidence& evidence, Diagnosis& diagnosis, const ShutterLimits& limits = {});

/// The colours of points against the photo's at their projections: swapped, turned and misplaced photos.
struct ContentLimits {
  int least_points = 25;    ///< fewer say nothing
  double below = 0.08;      ///< a correlation this much below the median image's is suspicious
  double low_spreads = 4;   ///< and this many spreads below it
  double better = 0.08;     ///< by how much another photo, or a turned one, must correlate better
  double fits_share = 0.8;  ///< of the usual correlation: from it on that other photo fits
  double misfit_share =
      0.4;               ///< of the usual correlation: below it the photo does not fit, whether another does or not
  double trusted = 0.3;  ///< the median image's correlation below which colours say nothing at all
};
void check_content(const Evidence& evidence, Diagnosis& diagnosis, const ContentLimits& limits = {});

/// The same picture under two names.
struct DuplicateLimits {
  double same = 1.5;      ///< root mean square difference of grey values on a grid of 48 × 48, 0..255
  double contrast = 0.1;  ///< and this share of the picture's own deviation at most
};
void check_duplicates(const Evidence& evidence, Diagnosis& diagnosis, const DuplicateLimits& limits = {});

/// Brightness of the points that photos share against EXIF and against the photos before and after.
struct ExposureLimits {
  int least_points = 25;
  double jump_stops = 0.8;           ///< from both neighbours, where EXIF does not tell it
  double contradiction_stops = 1.0;  ///< brightness against EXIF, relative to the other photos
  double constant_stops = 0.05;      ///< EXIF that varies by less says nothing
};
void check_exposure(const Evidence& evidence, Diagnosis& diagnosis, const ExposureLimits& limits = {});

/// Photos without a picture in them: black, white, constant, under- and overexposed.
struct TonalLimits {
  double constant_deviation = 2.5;  ///< of grey values 0..255
  double clipped = 0.25;            ///< share of black or of white pixels
  double clipped_more = 0.2;        ///< and by this much more than the median photo: white walls are no fault
};
void check_tones(const Evidence& evidence, Diagnosis& diagnosis, const TonalLimits& limits = {});

/// Fine detail against coarse, at points that other photos show as well.
struct SharpnessLimits {
  int least_points = 25;
  double blurred_octaves = 1.2;  ///< log2 of fine over coarse energy below the other photos'
  double blurred_spreads = 4;    ///< and this many spreads of the scene's photos
  double motion_octaves = 1.2;   ///< between the sharpest and the least sharp direction
  double motion_lost = 0.8;      ///< and at least this in the least sharp one
};
void check_sharpness(const Evidence& evidence, Diagnosis& diagnosis, const SharpnessLimits& limits = {});

/// The cloud alone: numbers, duplicates, isolated and far points, colours, normals.
struct CloudLimits {
  double duplicates_note = 0.01, duplicates_harmful = 0.2;  ///< shares at the place of another
  double isolated_spread =
      6;  ///< isolated: a 5th neighbour this many times farther than the median point's (prepare.h)
  double isolated_harmful = 0.025;                  ///< share of such points
  double far_extents = 30;                          ///< distance from the middle of the points, in extents
  double far_share = 0.002;                         ///< of points that far
  double behind_note = 0, behind_harmful = 0.01;    ///< share of points behind every camera
  double unseen_note = 0.05, unseen_harmful = 0.4;  ///< share of points in no photo's view
};
void check_cloud(const Evidence& evidence, Diagnosis& diagnosis, const CloudLimits& limits = {});

/// How the cloud covers the photos, and how large it is for single precision.
struct CoverageLimits {
  int severe_points = 50, harmful_points = 250;  ///< points of the cloud in the median photo's view
  int cells = 16;                                ///< on the longer side of a photo
  double projections = 3e8;     ///< points times photos; a larger cloud is sampled, and its pixels are not counted
  double covered_share = 0.25;  ///< cells with a point, of the median photo's share
  double rounding = 0.25;       ///< of the size of a pixel at the median point: what single precision rounds to
  double near_share = 0.01;     ///< points nearer than this share of the median depth, with
  double near_points = 0.01;    ///< more than this share of a photo's points
};
void check_coverage(const Evidence& evidence, Diagnosis& diagnosis, const CoverageLimits& limits = {});

/// Which photos see the same points, from how different directions; and what a split leaves unseen.
struct OverlapLimits {
  int shared_points = 12;        ///< from which two photos are connected, or fewer where all share few:
  double shared_share = 0.03;    ///< of the points of the one that sees fewer
  double pairs = 5e7;            ///< pairs of sightings of one point; where there are more, points are sampled
  double lonely_share = 0.1;     ///< points that any other photo shows too: below it the photo stands alone
  double small_angle_deg = 1.5;  ///< the median widest angle of an image's points below which depth is a guess
  double unseen_points = 0.1;    ///< points that only held-out photos show
  double unseen_photo = 0.5;     ///< of a held-out photo's points, those that no training photo shows
};
void check_overlap(const Evidence& evidence, Diagnosis& diagnosis, const OverlapLimits& limits = {});

/// Last: images with several harmful findings of different kinds.
void check_together(const Evidence& evidence, Diagnosis& diagnosis);

}  // namespace ptl::doctor
