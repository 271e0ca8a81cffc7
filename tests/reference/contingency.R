# Writes contingency_tables.csv (the counts) and contingency.csv (what R makes of them).
# Run in this folder: Rscript contingency.R
options(digits = 17)
tables <- list(
  hair_eye = apply(HairEyeColor, c(1, 2), sum)[c(1, 4), ],
  hair_eye_small = matrix(c(3, 1, 0, 4, 2, 5, 1, 0, 6), 3),
  tea = matrix(c(3, 1, 1, 3), 2),
  job = matrix(c(1, 2, 1, 0, 3, 3, 6, 1, 10, 10, 14, 9, 6, 7, 12, 11), 4),
  response = matrix(c(22, 24, 11, 31), 2),
  control = matrix(c(41, 5, 30, 12), 2),
  rare = matrix(c(11, 35, 0, 42), 2),
  cars = table(mtcars$cyl, mtcars$gear),
  grades = matrix(c(12, 20, 10, 4, 9, 15, 8, 10), 4),
  large = matrix(c(560, 440, 910, 1090), 2)
)
counts <- do.call(rbind, lapply(names(tables), function(name) {
  counts <- tables[[name]]
  data.frame(table = name, row = as.vector(row(counts)), column = as.vector(col(counts)),
             n = as.vector(counts))
}))
write.csv(counts, "contingency_tables.csv", row.names = FALSE, quote = FALSE)

wilson <- function(x, n) suppressWarnings(prop.test(x, n, correct = FALSE)$conf.int)
statistics <- function(counts) {
  out <- suppressWarnings(c(
    pearson = chisq.test(counts, correct = FALSE)$p.value,
    yates = chisq.test(counts)$p.value,
    fisher = fisher.test(counts, workspace = 2e7)$p.value
  ))
  share <- t(counts) / colSums(counts)
  d <- share[1, -1] - share[2, -1]
  covariance <- function(p) diag(p, length(p)) - p %o% p
  if (ncol(counts) == 2) {
    s <- (covariance(share[1, -1]) + covariance(share[2, -1])) / 2
    out["standardized_difference"] <- sqrt(drop(t(d) %*% solve(s) %*% d))
  }
  if (all(dim(counts) == 2)) {
    n <- colSums(counts)
    x <- counts[1, ]
    p <- x / n
    one <- wilson(x[1], n[1])
    two <- wilson(x[2], n[2])
    exact <- binom.test(x[1], n[1], conf.level = 0.9)$conf.int
    padded <- if (any(counts == 0)) counts + 0.5 else counts
    log_odds <- log(padded[1, 1] * padded[2, 2] / (padded[1, 2] * padded[2, 1]))
    half <- qnorm(0.975) * sqrt(sum(1 / padded))
    out <- c(out,
      proportion_low = exact[1], proportion_high = exact[2],
      risk_difference = p[1] - p[2],
      risk_difference_low = p[1] - p[2] - sqrt((p[1] - one[1])^2 + (two[2] - p[2])^2),
      risk_difference_high = p[1] - p[2] + sqrt((one[2] - p[1])^2 + (p[2] - two[1])^2),
      odds_ratio = exp(log_odds),
      odds_ratio_low = exp(log_odds - half), odds_ratio_high = exp(log_odds + half)
    )
  }
  out
}
results <- do.call(rbind, lapply(names(tables), function(name) {
  values <- statistics(as.matrix(unclass(tables[[name]])))
  data.frame(table = name, statistic = names(values), value = sprintf("%.17g", values))
}))
write.csv(results, "contingency.csv", row.names = FALSE, quote = FALSE)
