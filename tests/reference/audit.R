# Reference values for the audit: Rscript audit.R > audit.csv
suppressPackageStartupMessages(library(survival))
rows <- list()
add <- function(kind, name, input, value)
  rows[[length(rows) + 1]] <<- data.frame(kind, name, input = paste(input, collapse = " "), value)

set.seed(20240387)
for (i in 1:6) {
  n <- sample(5:60, 2)
  x <- rnorm(n[1], 50, 12); y <- rnorm(n[2], 54, 9)
  summaries <- sprintf("%.2f", c(mean(x), sd(x), mean(y), sd(y)))
  add("t_test", paste("student", i), c(summaries, n), t.test(x, y, var.equal = TRUE)$p.value)
  add("t_test", paste("welch", i), c(summaries, n), t.test(x, y)$p.value)
}

p <- round(runif(20)^2, 3)
for (method in c("bonferroni", "holm", "BH"))
  add("adjust", method, p, paste(format(p.adjust(p, method), digits = 15), collapse = " "))

# the upper limit of the median with k events of n, the rest censored afterwards
for (n in c(5, 11, 12, 23, 46)) for (type in c("log", "log-log", "plain")) {
  open <- sapply(0:n, function(k) {
    fit <- survfit(Surv(1:n, as.integer(1:n <= k)) ~ 1, conf.type = type)
    is.na(summary(fit)$table["0.95UCL"])
  })
  add("open_limit", paste(n, type), n, max(which(open)) - 1)
}

# a Cox model: estimate, standard error and Wald p of a binary covariate
for (i in 1:6) {
  n <- sample(30:90, 1)
  x <- rbinom(n, 1, 0.4); time <- rexp(n, 0.05 * exp(0.5 * x)); event <- rbinom(n, 1, 0.7)
  s <- summary(coxph(Surv(time, event) ~ x))
  printed <- sprintf("%.3f", c(s$conf.int[1, c(1, 3, 4)]))
  add("cox", i, c(printed, sum(event[x == 1]), sum(event[x == 0]), sum(x == 1), sum(x == 0)),
      paste(format(c(s$coefficients[1, 3], s$coefficients[1, 5]), digits = 15), collapse = " "))
}
# log-rank z of all, of two subgroups and the subgroups' share of the events
for (i in 1:6) {
  n <- 120; x <- rep(0:1, n / 2); stage <- rbinom(n, 1, 0.4)
  time <- rexp(n, 0.05 * exp(-0.5 * x + 0.5 * stage)); event <- rbinom(n, 1, 0.7)
  z <- function(s) { d <- survdiff(Surv(time, event) ~ x, subset = s)
    (d$obs - d$exp)[1] / sqrt(d$var[1, 1]) }
  all <- rep(TRUE, n)
  add("subgroup_z", i, c(format(c(z(all), z(stage == 1), z(stage == 0)), digits = 15),
      sum(stage == 1), sum(stage == 0), sum(event)), mean(stage[event == 1]))
}
write.csv(do.call(rbind, rows), quote = FALSE, row.names = FALSE)
