# Survival of the examples by arm: events, medians, log-rank tests, hazard ratios and
# proportional hazards. Run in tests/reference with the folder of lifelines' data sets:
#   Rscript examples.R .../lifelines/datasets
library(survival)
folder <- commandArgs(TRUE)[1]
rows <- list()

analyse <- function(study, endpoint, time, event, arm, strata = NULL, conf_type = "log") {
  add <- function(group, statistic, value)
    rows[[length(rows) + 1]] <<- data.frame(study, endpoint, group, statistic, value)
  fit <- summary(survfit(Surv(time, event) ~ arm, conf.type = conf_type))$table
  for (level in levels(arm)) {
    row <- fit[paste0("arm=", level), ]
    add(level, "n", row["records"])
    add(level, "n_event", row["events"])
    add(level, "median", row["median"])
    add(level, "median_conf_low", row["0.95LCL"])
    add(level, "median_conf_high", row["0.95UCL"])
  }
  if (is.null(strata)) {
    test <- survdiff(Surv(time, event) ~ arm)
    cox <- coxph(Surv(time, event) ~ arm)
  } else {
    test <- survdiff(Surv(time, event) ~ arm + strata(strata))
    cox <- coxph(Surv(time, event) ~ arm + strata(strata))
  }
  p <- pchisq(test$chisq, nlevels(arm) - 1, lower.tail = FALSE)
  add("between_arms", "p_logrank", p)
  add("between_arms", "p_proportional_hazards", cox.zph(cox)$table["GLOBAL", "p"])
  coef <- summary(cox)$coefficients
  limits <- exp(confint(cox))
  for (level in levels(arm)[-1]) {
    row <- paste0("arm", level)
    group <- paste0(level, "_vs_", levels(arm)[1])
    add(group, "hazard_ratio", coef[row, "exp(coef)"])
    add(group, "std_error", coef[row, "se(coef)"])
    add(group, "p_wald", coef[row, "Pr(>|z|)"])
    add(group, "hazard_ratio_conf_low", limits[row, 1])
    add(group, "hazard_ratio_conf_high", limits[row, 2])
  }
}

d <- read.csv(file.path(folder, "ACTG175.csv"))
arms <- c("zidovudine", "with_didanosine", "with_zalcitabine", "didanosine")
analyse("actg175", "efs", d$days / 30.4375, d$cens, factor(arms[d$arms + 1], arms))
d <- read.csv(file.path(folder, "gbsg2.csv"))
arms <- c(I = "grade_1", II = "grade_2", III = "grade_3")
analyse("gbsg2", "rfs", d$time / 30.4375, d$cens, factor(arms[d$tgrade], arms), d$horTh)

d <- read.csv("../../data/hepatocellular.csv")
arm <- factor(c("absent", "present")[d$Vascularinvasion + 1])
analyse("hepatocellular", "os", d$OS, d$Death, arm, conf_type = "log-log")
analyse("hepatocellular", "rfs", d$RFS, d$Recurrence, arm, conf_type = "log-log")

out <- do.call(rbind, rows)
out$value <- format(out$value, digits = 15, trim = TRUE)
write.csv(out, "examples.csv", row.names = FALSE, quote = FALSE)
