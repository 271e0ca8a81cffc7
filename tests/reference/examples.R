# Survival of two public data sets by arm: events, medians, log-rank tests, hazard ratios and
# proportional hazards. Run in tests/reference with the folder of lifelines' data sets:
#   Rscript examples.R .../lifelines/datasets
library(survival)
folder <- commandArgs(TRUE)[1]
rows <- list()
add <- function(study, group, statistic, value)
  rows[[length(rows) + 1]] <<- data.frame(study, group, statistic, value)

analyse <- function(study, time, event, arm, strata) {
  fit <- summary(survfit(Surv(time, event) ~ arm, conf.type = "log"))$table
  for (level in levels(arm)) {
    row <- fit[paste0("arm=", level), ]
    add(study, level, "n", row["records"])
    add(study, level, "n_event", row["events"])
    add(study, level, "median", row["median"])
    add(study, level, "median_conf_low", row["0.95LCL"])
    add(study, level, "median_conf_high", row["0.95UCL"])
  }
  if (is.null(strata)) {
    test <- survdiff(Surv(time, event) ~ arm)
    cox <- coxph(Surv(time, event) ~ arm)
  } else {
    test <- survdiff(Surv(time, event) ~ arm + strata(strata))
    cox <- coxph(Surv(time, event) ~ arm + strata(strata))
  }
  p <- pchisq(test$chisq, nlevels(arm) - 1, lower.tail = FALSE)
  add(study, "between_arms", "p_logrank", p)
  add(study, "between_arms", "p_proportional_hazards", cox.zph(cox)$table["GLOBAL", "p"])
  coef <- summary(cox)$coefficients
  limits <- exp(confint(cox))
  for (level in levels(arm)[-1]) {
    row <- paste0("arm", level)
    group <- paste0(level, "_vs_", levels(arm)[1])
    add(study, group, "hazard_ratio", coef[row, "exp(coef)"])
    add(study, group, "std_error", coef[row, "se(coef)"])
    add(study, group, "p_wald", coef[row, "Pr(>|z|)"])
    add(study, group, "hazard_ratio_conf_low", limits[row, 1])
    add(study, group, "hazard_ratio_conf_high", limits[row, 2])
  }
}

d <- read.csv(file.path(folder, "ACTG175.csv"))
arms <- c("zidovudine", "with_didanosine", "with_zalcitabine", "didanosine")
analyse("actg175", d$days / 30.4375, d$cens, factor(arms[d$arms + 1], arms), NULL)
d <- read.csv(file.path(folder, "gbsg2.csv"))
arms <- c(I = "grade_1", II = "grade_2", III = "grade_3")
analyse("gbsg2", d$time / 30.4375, d$cens, factor(arms[d$tgrade], arms), d$horTh)

out <- do.call(rbind, rows)
out$value <- format(out$value, digits = 15, trim = TRUE)
write.csv(out, "examples.csv", row.names = FALSE, quote = FALSE)
