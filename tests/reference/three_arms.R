# Writes three_arms.csv, a cohort of three arms with missing covariates and an endpoint that one
# arm never has, made of survival's veteran, and three_arms_results.csv: what survival and stats
# make of it, as it is and with strata and late entry (columns as in the results data set).
# Run in this folder: Rscript three_arms.R
library(survival)
options(digits = 17, warn = 1)
d <- veteran[veteran$celltype != "adeno", ]
i <- seq_len(nrow(d))
d <- data.frame(id = i, cell = as.character(d$celltype), os_days = d$time, died = d$status,
  late = ifelse(i %% 3 == 0, floor(d$time / 3), 0), pfs_days = ceiling(.7 * d$time),
  relapsed = ifelse(d$celltype == "large", 0, d$status), karno = ifelse(i %% 10 == 0, NA, d$karno),
  age = ifelse(i %% 13 == 0, NA, d$age), prior = ifelse(d$prior == 10, "yes", "no"),
  trt = d$trt)
write.csv(d, "three_arms.csv", row.names = FALSE, quote = FALSE, na = "")

arms <- c("squamous", "smallcell", "large")
d$smallcell <- as.numeric(d$cell == "smallcell")
d$large <- as.numeric(d$cell == "large")
d$older <- as.numeric(d$age >= 60)
d$treated <- as.numeric(d$prior == "yes")
exact <- coxph.control(eps = 1e-13, toler.chol = 1e-15)

sink("three_arms_results.csv")
cat("design,analysis,endpoint,variable,level,group,statistic,value\n")
emit <- function(statistic, value, ...) {
  value <- as.numeric(value)
  shown <- ifelse(is.nan(value), "", ifelse(is.na(value), "inf", sprintf("%.17g", value)))
  cat(paste(design, ..., statistic, shown, sep = ","), sep = "\n")
}
emit_limits <- function(statistic, values, ...) {
  for (i in 1:3) emit(paste0(statistic, c("", "_conf_low", "_conf_high")[i]), values[i], ...)
}

events <- c(os = "died", pfs = "relapsed")
time_of <- function(x, e) x[[paste0(e, "_days")]]
surv_of <- function(x, e, event = x[[events[e]]]) {
  if (design == "stratified" && e == "os") Surv(x$late, time_of(x, e), event)
  else Surv(time_of(x, e), event)
}
stratified <- function(names) if (design == "stratified") c(names, "strata(trt)") else names
cox <- function(x, e, names) {
  x <- x[complete.cases(x[intersect(names, names(x))]), ]
  # A level without events leaves the model, as its coefficient has no finite estimate.
  for (v in intersect(names, c("large", "smallcell", "treated", "older"))) {
    if (sum(x[x[[v]] == 1, events[e]]) == 0) {
      x <- x[x[[v]] == 0, ]
      names <- setdiff(names, v)
    }
  }
  y <- surv_of(x, e)
  coxph(reformulate(stratified(names), quote(y)), x, control = exact)
}
contrasts_of <- list(smallcell = c("arm", "smallcell", "squamous"), large = c("arm", "large", "squamous"),
  karno = c("karno"), treated = c("prior", "yes", "no"), older = c("age", "ge60", "lt60"))
cox_rows <- function(fit, analysis, e, variable = NULL, level = "") {
  for (v in names(coef(fit))) {
    k <- contrasts_of[[v]]
    groups <- if (length(k) == 1) "per_unit" else
      c(paste(k[2], "vs", k[3], sep = "_"), paste(k[3], "vs", k[2], sep = "_"))
    for (j in seq_along(groups)) {
      b <- c(1, -1)[j] * coef(fit)[v]
      error <- sqrt(vcov(fit)[v, v])
      keys <- list(analysis, e, if (is.null(variable)) k[1] else variable, level, groups[j])
      with_keys <- function(f, ...) do.call(f, c(list(...), keys))
      with_keys(emit_limits, "hazard_ratio", exp(b + c(0, -1, 1) * qnorm(.975) * error))
      with_keys(emit, "coef", b)
      with_keys(emit, "std_error", error)
      with_keys(emit, "p_wald", 2 * pnorm(-abs(b / error)))
    }
  }
}
model_rows <- function(fit, analysis, e, variable = "") {
  cox_rows(fit, analysis, e)
  emit("n_event", fit$nevent, analysis, e, variable, "", "")
  if (e == "os") emit("concordance", concordance(fit)$concordance, analysis, e, variable, "", "")
  emit("log_likelihood", fit$loglik[2], analysis, e, variable, "", "")
}
hazards <- function(fit) cox.zph(fit, terms = FALSE)$table["GLOBAL", 3]
joint_wald <- function(fit, names) {
  b <- coef(fit)[names]
  pchisq(b %*% solve(vcov(fit)[names, names], b), length(b), lower.tail = FALSE)
}
median_of <- function(f) summary(f)$table[c("median", "0.95LCL", "0.95UCL")]

groups_of <- function(x) c(list(overall = x), split(x, factor(x$cell, arms)))
medians_of <- function(x, e, analysis, variable, level) {
  for (g in names(groups_of(x))) {
    s <- groups_of(x)[[g]]
    emit("n", nrow(s), analysis, e, variable, level, g)
    emit("n_event", sum(s[[events[e]]]), analysis, e, variable, level, g)
    median <- if (nrow(s)) median_of(survfit(surv_of(s, e) ~ 1)) else NaN
    emit_limits("median", rep(median, length.out = 3), analysis, e, variable, level, g)
  }
}
# survdiff takes no entry: the log-rank test as Mantel and Haenszel's, a table at each event.
logrank <- function(x, e) {
  time <- time_of(x, e)
  event <- x[[events[e]]]
  entry <- if (design == "stratified" && e == "os") x$late else rep(-1, nrow(x))
  stratum <- if (design == "stratified") x$trt else rep(1, nrow(x))
  at <- unique(data.frame(time, stratum)[event == 1, ])
  tables <- Map(function(now, where) {
    s <- entry < now & time >= now & stratum == where
    table(factor(x$cell[s], unique(x$cell)), factor(event[s] == 1 & time[s] == now, c(FALSE, TRUE)))
  }, at$time, at$stratum)
  tables <- Filter(function(table) sum(table) > 1, tables)
  if (length(unique(x$cell)) < 2) NaN
  else mantelhaen.test(simplify2array(tables), correct = FALSE)$p.value
}

survival_rows <- function(e) {
  keys <- list("survival", e, "arm")
  medians_of(d, e, "survival", "arm", "")
  emit("p_logrank", logrank(d, e), "survival", e, "arm", "", "between_arms")
  fit <- cox(d, e, c("smallcell", "large"))
  cox_rows(fit, "survival", e)
  p <- if (e == "os") hazards(fit) else NaN
  emit("p_proportional_hazards", p, "survival", e, "arm", "", "between_arms")
  horizon <- floor(min(tapply(time_of(d, e), d$cell, max)))
  means <- list()
  for (g in names(groups_of(d))) {
    s <- groups_of(d)[[g]]
    f <- survfit(surv_of(s, e) ~ 1)
    at <- summary(f, times = c(90, 180))
    for (i in 1:2) {
      emit_limits("survival", c(at$surv[i], at$lower[i], at$upper[i]), "survival", e, "arm",
        at$time[i], g)
    }
    reverse <- survfit(surv_of(s, e, 1 - s[[events[e]]]) ~ 1)
    emit_limits("followup_median", median_of(reverse), "survival", e, "arm", "", g)
    means[[g]] <- summary(f, rmean = horizon)$table[c("rmean", "se(rmean)")]
  }
  limits <- function(mean, error) mean + c(0, -1, 1) * qnorm(.975) * error
  for (g in arms) {
    emit_limits("rmst", limits(means[[g]][1], means[[g]][2]), "survival", e, "arm", horizon, g)
  }
  for (g in arms[-1]) {
    difference <- means[[g]][1] - means$squamous[1]
    error <- sqrt(means[[g]][2]^2 + means$squamous[2]^2)
    compared <- paste(g, "vs_squamous", sep = "_")
    emit_limits("rmst_difference", limits(difference, error), "survival", e, "arm", horizon, compared)
    p <- 2 * pnorm(-abs(difference / error))
    emit("p_rmst_difference", p, "survival", e, "arm", horizon, compared)
  }
}

prognostic_rows <- function(e) {
  terms <- list(arm = c("smallcell", "large"), karno = "karno", prior = "treated", age = "older")
  entered <- c()
  for (v in names(terms)) {
    fit <- cox(d, e, terms[[v]])
    all_there <- length(coef(fit)) == length(terms[[v]])
    model_rows(fit, "cox_univariable", e, v)
    p <- if (all_there) joint_wald(fit, terms[[v]]) else NaN
    emit("p_screening", p, "cox_univariable", e, v, "", "")
    emit("entered", !is.nan(p) && p < .1, "cox_univariable", e, v, "", "")
    if (!is.nan(p) && p < .1) entered <- c(entered, terms[[v]])
  }
  fit <- cox(d, e, entered)
  model_rows(fit, "cox_multivariable", e)
  emit("n", fit$n, "cox_multivariable", e, "", "", "")
  emit("p_proportional_hazards", hazards(fit), "cox_multivariable", e, "", "", "")
  cox_rows(cox(d, e, unlist(terms)), "cox_full", e)
}

subgroup_rows <- function(e) {
  levels_of <- list(prior = list(no = d$treated == 0, yes = d$treated == 1),
    age = list(lt60 = which(d$older == 0), ge60 = which(d$older == 1)))
  for (v in names(levels_of)) {
    for (l in names(levels_of[[v]])) {
      x <- d[levels_of[[v]][[l]], ]
      medians_of(x, e, "subgroup", v, l)
      for (p in c("p", "p_logrank")) emit(p, logrank(x, e), "subgroup", e, v, l, "between_arms")
      cox_rows(cox(x, e, c("smallcell", "large")), "subgroup", e, v, l)
    }
    p <- NaN
    if (e == "os") {
      other <- c(prior = "treated", age = "older")[v]
      products <- paste(c("smallcell", "large"), other, sep = ":")
      plain <- c("smallcell", "large", other)
      x <- d[complete.cases(d[other]), ]
      y <- surv_of(x, e)
      fits <- lapply(list(plain, c(plain, products)), function(names) {
        coxph(reformulate(stratified(names), quote(y)), x, control = exact)
      })
      p <- pchisq(2 * (fits[[2]]$loglik[2] - fits[[1]]$loglik[2]), 2, lower.tail = FALSE)
    }
    emit("p_interaction", p, "subgroup", e, v, "", "between_arms")
  }
}

for (design in c("plain", "stratified")) for (e in names(events)) {
  survival_rows(e)
  prognostic_rows(e)
  subgroup_rows(e)
}
sink()
