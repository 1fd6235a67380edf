#include "renderer/point_exchange.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "datasets/prepare.h"
#include "datasets/prepare_morton.h"
#include "kernels/point_blocks.h"

namespace ptl {

namespace {

/// Rows `order` of `kept` and, behind them, of `added`, which has kept's columns and type.
torch::Tensor gathered(const torch::Tensor& kept, const torch::Tensor& added, const torch::Tensor& order) {
  return torch::cat({kept.to(torch::kCPU), added}, 0).index_select(0, order);
}

template <class T>
torch::Tensor rows_of(const std::vector<T>& values, std::vector<int64_t> shape, torch::ScalarType type) {
  torch::Tensor tensor = torch::empty(shape, type);
  if (!values.empty()) std::memcpy(tensor.mutable_data_ptr(), values.data(), values.size() * sizeof(T));
  return tensor;
}

}  // namespace

torch::Tensor exchange_points(SceneModel& model, const std::vector<uint8_t>& dropped, const NewPoints& added,
                              int64_t generation) {
  const torch::NoGradGuard no_gradient;
  const int64_t before = model.points.size(), fresh = static_cast<int64_t>(added.size());
  TORCH_CHECK(static_cast<int64_t>(dropped.size()) == before, "exchange_points: one flag for each of ", before,
              " points");
  const torch::Device device = model.device();
  const auto seed = static_cast<uint64_t>(model.config.seed);

  std::vector<int64_t> id(added.size());
  std::iota(id.begin(), id.end(), first_grown_id(generation));
  std::vector<float> over_sqrt_u(added.size());
  for (size_t i = 0; i < id.size(); ++i)
    over_sqrt_u[i] = added.radius[i] / std::sqrt(footprint_u(seed, static_cast<uint64_t>(id[i])));
  const torch::Tensor all_position =
      torch::cat({model.points.position.to(torch::kCPU), rows_of(added.position, {fresh, 3}, torch::kFloat)}, 0);
  const torch::Tensor all_radius =
      torch::cat({model.points.radius_over_sqrt_u.to(torch::kCPU), rows_of(over_sqrt_u, {fresh}, torch::kFloat)}, 0);
  const torch::Tensor all_id = torch::cat({model.points.id.to(torch::kCPU), rows_of(id, {fresh}, torch::kLong)}, 0);

  std::vector<Vec3<float>> position;
  std::vector<uint32_t> row;  // in `all_…`, of what stays and of what is new
  const float* from = all_position.const_data_ptr<float>();
  for (int64_t i = 0; i < before + fresh; ++i) {
    if (i < before && dropped[static_cast<size_t>(i)]) continue;
    row.push_back(static_cast<uint32_t>(i));
    position.emplace_back(from[3 * i], from[3 * i + 1], from[3 * i + 2]);
  }
  TORCH_CHECK(!row.empty(), "exchange_points: no point would be left");
  std::vector<int64_t> order;
  order.reserve(row.size());
  for (const uint32_t place : prepare_morton_order(position)) order.push_back(row[place]);
  sort_blocks(order, all_radius.const_data_ptr<float>(), all_id.const_data_ptr<int64_t>());

  const auto count = static_cast<int64_t>(order.size());
  const torch::Tensor rows = rows_of(order, {count}, torch::kLong);
  const torch::Tensor arranged = all_position.index_select(0, rows);
  torch::Tensor bounds = torch::empty({(count + points_per_block - 1) / points_per_block, 6}, torch::kFloat);
  compute_block_bounds(Device{}, arranged.const_data_ptr<float>(), count, bounds.mutable_data_ptr<float>());
  model.points.position = arranged.to(device);
  model.points.radius_over_sqrt_u = all_radius.index_select(0, rows).to(device);
  model.points.id = all_id.index_select(0, rows).to(device);
  model.points.block_bounds = bounds.to(device);
  if (model.points.normal.defined())
    model.points.normal =
        gathered(model.points.normal, rows_of(added.normal, {fresh, 3}, torch::kFloat), rows).to(device);
  model.point_color = gathered(model.point_color, rows_of(added.color, {fresh, 3}, torch::kByte), rows);
  if (model.given_position.defined())
    model.given_position =
        gathered(model.given_position, rows_of(added.position, {fresh, 3}, torch::kFloat), rows).to(device);
  const int64_t channels = model.descriptors.size(1);
  model.descriptors =
      gathered(model.descriptors.detach(), rows_of(added.descriptor, {fresh, channels}, torch::kFloat), rows)
          .to(device)
          .requires_grad_(true);

  torch::Tensor kept_rows = torch::empty({count}, torch::kLong);
  int64_t* kept = kept_rows.mutable_data_ptr<int64_t>();
  for (int64_t i = 0; i < count; ++i) {
    const int64_t old = order[static_cast<size_t>(i)];
    kept[i] = old < before ? old : added.parent[static_cast<size_t>(old - before)];
  }
  return kept_rows;
}

}  // namespace ptl
