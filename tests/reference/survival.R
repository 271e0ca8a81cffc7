# Writes survival_data.csv (patients of ten data sets) and what R's survival package makes of
# them, the last five for Cox models only: kaplan_meier.csv (curves), groups.csv (read off curves, and tests between groups),
# cox.csv, proportional_hazards.csv, schoenfeld.csv (residuals) and firth.csv.
# Run in this folder: Rscript survival.R
library(survival)
options(digits = 17, warn = 2)
exact <- coxph.control(eps = 1e-14, toler.chol = 1e-16, iter.max = 100)
write_rows <- function(rows, file) {
  numbers <- sapply(rows, is.double)
  rows[numbers] <- lapply(rows[numbers], function(x) sprintf("%.17g", x))
  write.csv(rows, file, row.names = FALSE, quote = FALSE)
}

# The patients. Entries of all but heart are made up: every other patient enters late.
late <- function(time) ifelse(seq_along(time) %% 2 == 0, floor(time / 4), 0)
h <- read.csv("../../data/hepatocellular.csv")
l <- na.omit(lung[c("inst", "time", "status", "age", "sex", "ph.ecog")])
l$month <- ceiling(l$time / 30)
v <- veteran
o <- ovarian
t <- heart
samples <- list(
  hepatocellular = data.frame(entry = late(h$OS), time = h$OS, event = h$Death,
    weight = 1 + h$HBsAg, stratum = h$Cirrhosis, group = h$BCLC,
    x1 = h$Vascularinvasion, x2 = h$Age, x3 = h$Tumorsize),
  lung_months = data.frame(entry = late(l$month), time = l$month, event = l$status - 1,
    weight = (1 + l$inst %% 3) / 2, stratum = l$age > 62, group = l$ph.ecog,
    x1 = l$sex, x2 = l$age, x3 = l$ph.ecog),
  veteran = data.frame(entry = late(v$time), time = v$time, event = v$status,
    weight = 1 + (v$age > 60), stratum = v$prior, group = as.integer(v$celltype),
    x1 = v$trt, x2 = v$karno, x3 = v$diagtime),
  ovarian = data.frame(entry = late(o$futime), time = o$futime, event = o$fustat,
    weight = o$resid.ds, stratum = o$ecog.ps, group = o$rx, x1 = o$rx, x2 = o$age,
    x3 = o$resid.ds),
  heart = data.frame(entry = t$start, time = t$stop, event = t$event, weight = 1 + t$surgery,
    stratum = t$year > 3, group = as.integer(t$transplant), x1 = as.integer(t$transplant),
    x2 = t$age, x3 = t$year)
)
few <- names(samples)
k <- kidney
r <- rats
m <- na.omit(mgus[c("age", "sex", "futime", "death", "alb", "dxyr")])
p <- retinopathy
g <- cgd
samples <- c(samples, list(
  kidney = data.frame(entry = late(k$time), time = k$time, event = k$status,
    weight = 1 + (k$age > 40), stratum = k$disease == "PKD", group = k$sex,
    x1 = k$sex, x2 = k$age, x3 = k$frail),
  rats = data.frame(entry = late(r$time), time = r$time, event = r$status,
    weight = (1 + r$litter %% 2) / 2, stratum = r$sex == "f", group = r$rx,
    x1 = r$rx, x2 = r$litter %% 3, x3 = r$litter %% 5 == 0),
  mgus_years = data.frame(entry = late(ceiling(m$futime / 365)), time = ceiling(m$futime / 365),
    event = m$death, weight = 1 + (m$dxyr > 70), stratum = m$age > 70, group = as.integer(m$sex),
    x1 = as.integer(m$sex), x2 = m$age, x3 = m$alb),
  retinopathy = data.frame(entry = late(ceiling(p$futime)), time = ceiling(p$futime),
    event = p$status, weight = 1 + (p$eye == "left") / 2, stratum = p$laser == "argon",
    group = p$trt, x1 = p$trt, x2 = p$age, x3 = p$risk),
  cgd = data.frame(entry = g$tstart, time = g$tstop, event = g$status,
    weight = 1 + (g$sex == "male"), stratum = g$propylac, group = as.integer(g$treat),
    x1 = as.integer(g$treat), x2 = g$age, x3 = g$steroids)
))
samples <- lapply(samples, function(d) {
  d[] <- lapply(d, as.numeric)
  d
})
write_rows(do.call(rbind, Map(cbind, sample = names(samples), samples)), "survival_data.csv")

# Kaplan-Meier: whole curves.
curve <- function(name, entry) {
  d <- samples[[name]]
  y <- if (entry) Surv(d$entry, d$time, d$event) else Surv(d$time, d$event)
  fits <- lapply(c("log", "log-log", "plain"), function(type) survfit(y ~ 1, conf.type = type))
  f <- fits[[1]]
  limits <- do.call(cbind, lapply(fits, function(f) cbind(f$lower, f$upper)))
  colnames(limits) <- paste(rep(c("log", "log_log", "plain"), each = 2), c("low", "high"), sep = "_")
  data.frame(sample = name, entry = entry, time = f$time, n_risk = f$n.risk, n_event = f$n.event,
    n_censored = f$n.censor, survival = f$surv, std_error = f$surv * f$std.err, limits)
}
write_rows(rbind(curve("hepatocellular", FALSE), curve("veteran", FALSE), curve("ovarian", FALSE),
  curve("lung_months", TRUE), curve("heart", TRUE)), "kaplan_meier.csv")

# survdiff takes no entry: the log-rank test as Mantel and Haenszel's, a table at each event.
logrank <- function(d, stratum = rep(0, nrow(d))) {
  at <- unique(data.frame(time = d$time, stratum)[d$event == 1, ])
  tables <- Map(function(now, where) {
    s <- d[d$entry < now & d$time >= now & stratum == where, ]
    table(factor(s$group, unique(d$group)), factor(s$event == 1 & s$time == now, c(FALSE, TRUE)))
  }, at$time, at$stratum)
  tables <- Filter(function(table) sum(table) > 1, tables)
  mantelhaen.test(simplify2array(tables), correct = FALSE)$statistic
}

# By group: medians, survival at times, restricted means; tests between groups.
by_group <- function(name, entry) {
  d <- samples[[name]]
  horizon <- min(tapply(d$time, d$group, max))
  rows <- list()
  add <- function(group, statistic, value)
    rows[[length(rows) + 1]] <<- data.frame(sample = name, entry, group, statistic, value)
  surv <- function(d, event) if (entry) Surv(d$entry, d$time, event) else Surv(d$time, event)
  for (g in sort(unique(d$group))) {
    s <- d[d$group == g, ]
    for (type in c("log", "log-log", "plain")) {
      kind <- sub("-", "_", type)
      for (which in c("median", "followup")) {
        event <- if (which == "median") s$event else 1 - s$event
        row <- summary(survfit(surv(s, event) ~ 1, conf.type = type))$table
        q <- row[c("median", "0.95LCL", "0.95UCL")]
        add(g, paste(which, kind, c("value", "conf_low", "conf_high"), sep = "_"),
          ifelse(is.na(q), Inf, q))
      }
      at <- summary(survfit(surv(s, s$event) ~ 1, conf.type = type), times = horizon * c(.25, .5))
      add(g, paste("survival", c(.25, .5), kind, "value", sep = "_"), at$surv)
      add(g, paste("survival", c(.25, .5), kind, "conf_low", sep = "_"), at$lower)
      add(g, paste("survival", c(.25, .5), kind, "conf_high", sep = "_"), at$upper)
    }
    f <- survfit(surv(s, s$event) ~ 1)
    for (part in c(.5, 1)) if (horizon * part >= min(f$time)) {  # else R refuses
      row <- summary(f, rmean = horizon * part)$table
      add(g, paste("rmst", part, "value", sep = "_"), row["rmean"])
      add(g, paste("rmst", part, "std_error", sep = "_"), row["se(rmean)"])
    }
    counts <- summary(f, times = horizon * c(0, .25, .5, 1), extend = TRUE)
    if (entry) {  # between the times of a curve survfit does not count who enters
      counts$n.risk <- sapply(counts$time, function(now)
        sum(s$time >= now & (s$entry < now | s$entry == 0)))
    }
    add(g, paste("n_risk", c(0, .25, .5, 1), sep = "_"), as.double(counts$n.risk))
    add(g, paste("n_event", c(0, .25, .5, 1), sep = "_"), cumsum(counts$n.event))
  }
  add("all", "logrank", if (entry) logrank(d) else survdiff(surv(d, d$event) ~ group, d)$chisq)
  add("all", "logrank_strata", if (entry) logrank(d, d$stratum)
    else survdiff(surv(d, d$event) ~ group + strata(stratum), d)$chisq)
  do.call(rbind, rows)
}
write_rows(do.call(rbind, c(lapply(few, by_group, FALSE),
  lapply(few, by_group, TRUE))), "groups.csv")

# Cox models.
variants <- c("plain", "weights", "strata", "entry", "all")
fit_cox <- function(name, variant, ties, control = exact, ...) {
  d <- samples[[name]]
  has <- function(what) variant %in% c(what, "all")
  y <- if (has("entry")) Surv(d$entry, d$time, d$event) else Surv(d$time, d$event)
  d$w <- if (has("weights")) d$weight else 1
  formula <- if (has("strata")) y ~ x1 + x2 + x3 + strata(stratum) else y ~ x1 + x2 + x3
  environment(formula) <- environment()
  eval(bquote(coxph(.(formula), d, w, ties = .(ties), robust = FALSE, x = TRUE,
    control = .(control), ...)))
}
over_all <- function(f, over = few, variant = variants) {
  every <- expand.grid(ties = c("efron", "breslow"), variant = variant, sample = over,
    stringsAsFactors = FALSE)
  do.call(rbind, Map(function(sample, variant, ties) {
    data.frame(sample, variant, ties, f(sample, variant, ties))
  }, every$sample, every$variant, every$ties))
}

write_rows(over_all(function(sample, variant, ties) {
  fit <- fit_cox(sample, variant, ties)
  limits <- confint(fit)
  values <- c(coef = coef(fit), std_error = sqrt(diag(vcov(fit))), conf_low = limits[, 1],
    conf_high = limits[, 2], p = summary(fit)$coefficients[, "Pr(>|z|)"],
    log_likelihood = fit$loglik[2], null_log_likelihood = fit$loglik[1], score = fit$score,
    wald = unname(fit$wald.test), concordance = unname(concordance(fit)$concordance))
  data.frame(statistic = sub(".", "_", names(values), fixed = TRUE), value = values)
}, names(samples)), "cox.csv")

# Proportional hazards.
write_rows(over_all(function(sample, variant, ties) {
  fit <- fit_cox(sample, variant, ties)
  do.call(rbind, lapply(c("km", "identity", "log", "rank"), function(transform) {
    z <- cox.zph(fit, transform, terms = FALSE)$table
    data.frame(statistic = paste(transform, rownames(z), sep = "_"), value = z[, "chisq"])
  }))
}), "proportional_hazards.csv")
write_rows(do.call(rbind, lapply(c("hepatocellular", "ovarian", "heart"), function(sample) {
  variant <- if (sample == "heart") "entry" else "plain"
  z <- cox.zph(fit_cox(sample, variant, "efron"), terms = FALSE)
  data.frame(sample, variant, time = z$time, unname(z$y))
})), "schoenfeld.csv")

# Firth's penalty. survival does not know it, but gives the likelihood and the information at any
# coefficients; its gradient is taken by differences of the fourth order.
firth <- function(sample, variant, ties) {
  fit_at <- function(b) {
    fit_cox(sample, variant, ties, init = b, control = coxph.control(iter.max = 0))
  }
  information <- function(b) solve(vcov(fit_at(b)))
  height <- function(b) {
    fit <- fit_at(b)
    fit$loglik[2] - as.numeric(determinant(vcov(fit))$modulus) / 2
  }
  unit <- sqrt(diag(vcov(fit_at(c(0, 0, 0)))))
  h <- unit / 100
  gradient <- function(b) sapply(1:3, function(k) {
    at <- sapply(-2:2, function(step) {
      b[k] <- b[k] + step * h[k]
      height(b)
    })
    sum(at * c(1, -8, 0, 8, -1)) / (12 * h[k])
  })
  # The score is zero, or that of the coefficient `own` gives way to a condition.
  solve_equations <- function(b, own = 0, condition = NULL) {
    for (i in 1:200) {
      values <- gradient(b)
      slopes <- -information(b)
      if (own) {
        met <- condition(b, values)
        values[own] <- met$value
        slopes[own, ] <- met$slope
      }
      step <- -solve(slopes, values)
      b <- b + step
      if (max(abs(step / unit)) < 1e-10) return(b)
    }
    stop("no solution")
  }
  b <- solve_equations(c(0, 0, 0))
  v <- vcov(fit_at(b))
  top <- height(b)
  values <- c(coef = unname(b), std_error = unname(sqrt(diag(v))), log_likelihood = top)
  if (ties == "efron" && variant %in% c("plain", "all")) for (k in 1:3) {
    towards <- v[k, ] / v[k, k]
    for (side in c(-1, 1)) {
      at_height <- function(x, gradient)
        list(value = height(x) - top + qchisq(.95, 1) / 2, slope = gradient)
      x <- solve_equations(b + side * qnorm(.975) * sqrt(v[k, k]) * towards, k, at_height)
      stopifnot((x[k] - b[k]) * side > 0)
      values[paste0(if (side < 0) "conf_low" else "conf_high", k)] <- x[k]
    }
    at_zero <- function(x, gradient) list(value = x[k], slope = as.numeric(1:3 == k))
    x <- solve_equations(b - b[k] * towards, k, at_zero)
    values[paste0("test", k)] <- 2 * (top - height(x))
  }
  data.frame(statistic = sub("(\\d)$", "_x\\1", names(values)), value = values)
}
write_rows(over_all(firth, variant = c("plain", "all")), "firth.csv")
