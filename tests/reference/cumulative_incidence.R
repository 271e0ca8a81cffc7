# Cumulative incidences of monoclonal gammopathy (mgus2 of the R package survival, LGPL): the
# first 150 patients by identifier, progression (1) and death without it (2), in months; some of
# them seen only from a later month on. Run in tests/reference: Rscript cumulative_incidence.R
library(survival)
d <- mgus2[order(mgus2$id), ][1:150, ]
d$time <- ifelse(d$pstat == 1, d$ptime, d$futime)
d$cause <- ifelse(d$pstat == 1, 1, 2 * d$death)
d$entry <- ifelse(d$id %% 5 == 0 & d$time > 20, 12, 0)
d <- d[d$time > 0, c("id", "entry", "time", "cause")]
write.csv(d, "cumulative_incidence_data.csv", row.names = FALSE, quote = FALSE)

when <- c(6, 24, 60, 120, 240)
d$state <- factor(d$cause, 0:2, c("censored", "progression", "death"))
rows <- list()
for (truncated in c(FALSE, TRUE)) {
  surv <- if (truncated) Surv(d$entry, d$time, d$state) else Surv(d$time, d$state)
  fit <- survfit(surv ~ 1, id = d$id, conf.type = "log")
  at <- summary(fit, times = when)
  for (cause in 1:2) {
    place <- match(c("progression", "death")[cause], fit$states)
    rows[[length(rows) + 1]] <- data.frame(
      truncated = as.integer(truncated), cause = cause, time = when,
      value = at$pstate[, place], std_error = at$std.err[, place],
      conf_low = at$lower[, place], conf_high = at$upper[, place]
    )
  }
}
out <- do.call(rbind, rows)
out[] <- lapply(out, function(x) format(x, digits = 15, trim = TRUE))
write.csv(out, "cumulative_incidence.csv", row.names = FALSE, quote = FALSE)
