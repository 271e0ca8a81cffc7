# Writes location_data.csv (the values) and location.csv (what R makes of them).
# Run in this folder: Rscript location.R
hepatocellular <- read.csv("../../data/hepatocellular.csv")
complete <- na.omit(airquality[c("Month", "Ozone")])
samples <- list(
  hepatocellular_age = split(hepatocellular$Age, hepatocellular$Vascularinvasion),
  tooth_growth = split(ToothGrowth$len, ToothGrowth$supp),
  sleep = split(sleep$extra, sleep$group),
  ozone = split(complete$Ozone, complete$Month),
  plant_growth = split(PlantGrowth$weight, PlantGrowth$group),
  chick_days = split(c(1, 1, 2, 3, 3, 3, 8, 2, 2, 9, 9, 4), rep(1:2, each = 6)),
  before_after = list(
    before = c(125, 115, 130, 140, 140, 115, 140, 125, 140, 135),
    after = c(110, 122, 125, 120, 140, 124, 123, 137, 135, 145)
  )
)
data <- do.call(rbind, lapply(names(samples), function(name) {
  groups <- samples[[name]]
  data.frame(sample = name, group = rep(names(groups), lengths(groups)),
             value = unlist(groups, use.names = FALSE))
}))
write.csv(data, "location_data.csv", row.names = FALSE, quote = FALSE)

statistics <- function(groups) {
  value <- unlist(groups, use.names = FALSE)
  group <- factor(rep(names(groups), lengths(groups)))
  out <- c(
    student_t = oneway.test(value ~ group, var.equal = TRUE)$p.value,
    welch_t = oneway.test(value ~ group)$p.value
  )
  if (length(groups) == 2) {
    x <- groups[[1]]
    y <- groups[[2]]
    out <- c(out,
      student_t_two = t.test(x, y, var.equal = TRUE)$p.value,
      welch_t_two = t.test(x, y)$p.value,
      mann_whitney = wilcox.test(x, y, exact = FALSE, correct = FALSE)$p.value,
      mann_whitney_continuity = wilcox.test(x, y, exact = FALSE)$p.value,
      standardized_mean_difference = (mean(x) - mean(y)) / sqrt((var(x) + var(y)) / 2)
    )
    if (length(x) == length(y)) {
      out <- c(out,
        signed_rank = wilcox.test(x, y, paired = TRUE, exact = FALSE, correct = FALSE)$p.value,
        signed_rank_continuity = wilcox.test(x, y, paired = TRUE, exact = FALSE)$p.value
      )
    }
  } else {
    out <- c(out, mann_whitney = kruskal.test(value, group)$p.value)
  }
  for (type in 1:9) {
    for (probability in c(0.1, 0.25, 0.5, 0.75, 0.9)) {
      out[paste("quantile", type, probability, sep = "_")] <-
        quantile(groups[[1]], probability, type = type, names = FALSE)
    }
  }
  out
}
results <- do.call(rbind, lapply(names(samples), function(name) {
  values <- statistics(samples[[name]])
  data.frame(sample = name, statistic = names(values), value = sprintf("%.17g", values))
}))
write.csv(results, "location.csv", row.names = FALSE, quote = FALSE)
