# Writes software.csv: the public hepatocellular cohort under R's conventions, one by one.
# Run in this folder: Rscript software.R
library(survival)
patients <- read.csv("../../data/hepatocellular.csv")
patients$x <- patients$Vascularinvasion
rows <- list()
add <- function(quantity, value) rows[[length(rows) + 1]] <<- data.frame(quantity, value)

for (type in c("log", "log-log", "plain")) {
  fit <- survfit(Surv(OS, Death) ~ x, patients, conf.type = type)
  table <- summary(fit)$table
  for (column in c("median", "0.95LCL", "0.95UCL")) {
    add(paste("median", type, 0:1, column, sep = "/"), table[, column])
  }
}
exact <- coxph.control(eps = 1e-11, toler.chol = 1e-13)
for (ties in c("efron", "breslow")) {
  fit <- coxph(Surv(OS, Death) ~ x, patients, ties = ties, control = exact)
  add(paste("cox", ties, c("hazard_ratio", "p"), sep = "/"),
      c(exp(coef(fit)), summary(fit)$coefficients[, "Pr(>|z|)"]))
}
fit <- coxph(Surv(OS, Death) ~ x, patients, control = exact)
for (transform in c("km", "identity", "log", "rank")) {
  add(paste("zph", transform, sep = "/"), cox.zph(fit, transform = transform)$table["x", "p"])
}
for (correct in c(TRUE, FALSE)) {
  add(paste("chi_square", correct, sep = "/"),
      chisq.test(table(patients$x, patients$Cirrhosis), correct = correct)$p.value)
}
add("welch", t.test(Age ~ x, patients)$p.value)
add("student", t.test(Age ~ x, patients, var.equal = TRUE)$p.value)
results <- do.call(rbind, rows)
results$value <- sprintf("%.17g", results$value)
results$value[results$value == "NA"] <- "inf"
write.csv(results, "software.csv", row.names = FALSE, quote = FALSE)
