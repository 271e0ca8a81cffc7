# Writes data/ten_patients_r.csv: what R's survival makes of the ten invented patients.
# Run in this folder: Rscript ten_patients.R
library(survival)
patients <- read.csv("../../data/ten_patients.csv")
patients$x <- as.numeric(patients$arm == "treated")
rows <- list()
add <- function(quantity, value) rows[[length(rows) + 1]] <<- data.frame(quantity, value)

types <- c(log = "log", log_log = "log-log", plain = "plain")
for (group in c("overall", "control", "treated")) {
  who <- if (group == "overall") patients else patients[patients$arm == group, ]
  for (type in names(types)) {
    fit <- survfit(Surv(months, event) ~ 1, who, conf.type = types[[type]])
    table <- summary(fit)$table
    add(paste("median", group, type, "low", sep = "."), table[["0.95LCL"]])
    add(paste("median", group, type, "high", sep = "."), table[["0.95UCL"]])
    add(paste("band", group, type, fit$time, "low", sep = "."), fit$lower)
    add(paste("band", group, type, fit$time, "high", sep = "."), fit$upper)
  }
  add(paste("median", group, sep = "."), table[["median"]])
  add(paste("survival", group, fit$time, sep = "."), fit$surv)
  add(paste("greenwood", group, fit$time, sep = "."), summary(fit, times = fit$time)$std.err)
  mean <- summary(survfit(Surv(months, event) ~ 1, who), rmean = 12)$table
  add(paste("restricted_mean", group, sep = "."), mean[["rmean"]])
  add(paste("restricted_mean_error", group, sep = "."), mean[["se(rmean)"]])
}
reverse <- summary(survfit(Surv(months, 1 - event) ~ 1, patients))$table
add("followup.median", reverse[["median"]])

test <- survdiff(Surv(months, event) ~ arm, patients)
add(paste("logrank.observed", names(test$n), sep = "."), test$obs)
add(paste("logrank.expected", names(test$n), sep = "."), test$exp)
add("logrank.variance", test$var[1, 1])
add("logrank.chisq", test$chisq)
add("logrank.p", pchisq(test$chisq, 1, lower.tail = FALSE))

exact <- coxph.control(eps = 1e-11, toler.chol = 1e-13)
for (ties in c("efron", "breslow")) {
  fit <- coxph(Surv(months, event) ~ x, patients, ties = ties, control = exact)
  add(paste("cox", ties, c("coef", "error", "hazard_ratio"), sep = "."),
      c(coef(fit), sqrt(vcov(fit)), exp(coef(fit))))
  add(paste("cox", ties, c("null", "loglik"), sep = "."), fit$loglik)
  add(paste("cox", ties, "score", sep = "."), fit$score)
  add(paste("cox", ties, "ratio", sep = "."), 2 * diff(fit$loglik))
}
fit <- coxph(Surv(months, event) ~ x, patients, control = exact)
residual <- residuals(fit, "schoenfeld")
add(paste("schoenfeld", seq_along(residual), sep = "."), residual)
for (transform in c("km", "identity", "log", "rank")) {
  test <- cox.zph(fit, transform = transform)
  add(paste("zph", transform, c("chisq", "p"), sep = "."), test$table["x", c("chisq", "p")])
}
add("concordance", concordance(fit)$concordance)

three <- data.frame(time = 1:3, event = 1, x = c(0, 1, 0))
fit <- coxph(Surv(time, event) ~ x, three, control = exact)
add(paste("three", c("coef", "error", "hazard_ratio"), sep = "."),
    c(coef(fit), sqrt(vcov(fit)), exp(coef(fit))))
add(paste("three", c("null", "loglik"), sep = "."), fit$loglik)
fit <- coxph(Surv(time, event) ~ x, transform(three, x = c(1, 0, 1)), control = exact)
add("three.exchanged.hazard_ratio", exp(coef(fit)))

# The treated start treatment four months after time zero: wrongly from time zero, rightly late.
late <- transform(patients, entered = ifelse(x == 1, 4, 0))
fit <- coxph(Surv(entered, months, event) ~ x, late, control = exact)
add(paste("late", c("coef", "error", "hazard_ratio"), sep = "."),
    c(coef(fit), sqrt(vcov(fit)), exp(coef(fit))))

results <- do.call(rbind, rows)
results$value <- sprintf("%.17g", results$value)
results$value[results$value == "NA"] <- ""
write.csv(results, "../../data/ten_patients_r.csv", row.names = FALSE, quote = FALSE)
