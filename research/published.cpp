#include "research/published.h"

#include "research/toml_reader.h"

namespace ptl::research {

std::vector<PublishedFigure> parse_published(const std::string& text, const std::string& file) {
  TomlTable document = TomlTable::parse(text, file);
  std::vector<PublishedFigure> figures;
  for (TomlTable& table : document.take_tables("figure")) {
    PublishedFigure figure;
    figure.method = table.required_text("method");
    figure.scene = table.required_text("scene");
    figure.source = table.required_text("source");
    figure.protocol = {table.required_text("border"), table.required_text("exposure"), table.required_text("pose"),
                       table.required_text("split")};
    if (const auto size = table.take_wholes("size")) {
      if (size->size() != 2 || (*size)[0] < 1 || (*size)[1] < 1)
        table.fail("size", "expected [width, height] in pixels");
      figure.size_px = {static_cast<int>((*size)[0]), static_cast<int>((*size)[1])};
    }
    figure.psnr_db = table.take_number("psnr");
    figure.ssim = table.take_number("ssim");
    figure.lpips = table.take_number("lpips");
    if (!figure.psnr_db && !figure.ssim && !figure.lpips)
      table.fail("method", "has no figure: expected psnr, ssim or lpips");
    table.finish();
    figures.push_back(std::move(figure));
  }
  document.finish();
  return figures;
}

std::vector<PublishedFigure> read_published(const std::filesystem::path& file) {
  return parse_published(read_text_file(file, "published figures in TOML (docs/research.md)"), file.string());
}

}  // namespace ptl::research
