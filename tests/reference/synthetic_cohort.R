# Writes synthetic_cohort.csv: what the book says of data/cohort.csv, by R's survival and stats
# alone. Run in this folder, again after each change of the cohort: Rscript synthetic_cohort.R
library(survival)
options(digits = 17, warn = 1)
d <- read.csv("../../data/cohort.csv", stringsAsFactors = FALSE)
arms <- c("tace_t", "tace_tc")
d$afp <- ifelse(d$afp_baseline >= 400, "ge400", "lt400")
month <- 30.4375

sink("synthetic_cohort.csv")
emit <- function(analysis, statistic, value, endpoint = "", variable = "", level = "", group = "") {
  shown <- ifelse(is.na(value), ifelse(is.nan(value), "", "inf"), sprintf("%.17g", value))
  cat(paste(analysis, endpoint, variable, level, group, statistic, shown, sep = ","), sep = "\n")
}
cat("analysis,endpoint,variable,level,group,statistic,value\n")
groups <- list(overall = d, tace_t = d[d$arm == "tace_t", ], tace_tc = d[d$arm == "tace_tc", ])

compared <- "tace_tc_vs_tace_t"
emit_limits <- function(analysis, statistic, values, ...) {
  names <- paste0(statistic, c("", "_conf_low", "_conf_high"))
  for (i in 1:3) emit(analysis, names[i], values[i], ...)
}

rules <- list(
  p = function(table) if (min(table) < 5) rules$p_fisher(table) else rules$p_pearson(table),
  p_pearson = function(table) suppressWarnings(chisq.test(table, correct = FALSE)$p.value),
  p_yates = function(table) suppressWarnings(chisq.test(table)$p.value),
  p_fisher = function(table) fisher.test(table)$p.value
)
emit_tests <- function(analysis, statistics, table, ...) {
  table <- table[rowSums(table) > 0, , drop = FALSE]
  for (statistic in statistics) {
    p <- if (nrow(table) < 2) NaN else rules[[statistic]](table)
    emit(analysis, statistic, p, ..., group = "between_arms")
  }
}

# Which patients have something: exact intervals of Clopper and Pearson, Newcombe's difference of
# Wilson's intervals, odds ratio with Woolf's interval.
emit_shares <- function(analysis, has, ...) {
  for (g in names(groups)) {
    x <- has[g == "overall" | d$arm == g]
    emit(analysis, "n", sum(x), ..., group = g)
    limits <- c(mean(x), binom.test(sum(x), length(x))$conf.int)
    emit_limits(analysis, "percent", 100 * limits, ..., group = g)
  }
}
emit_contrasts <- function(analysis, has, ...) {
  n <- c(sum(d$arm == "tace_tc"), sum(d$arm == "tace_t"))
  x <- c(sum(has[d$arm == "tace_tc"]), sum(has[d$arm == "tace_t"]))
  wilson_of <- function(x, n) suppressWarnings(prop.test(x, n, correct = FALSE)$conf.int)
  wilson <- mapply(wilson_of, x, n)
  share <- x / n
  far <- sqrt(c((share[1] - wilson[1, 1])^2 + (wilson[2, 2] - share[2])^2,
    (wilson[2, 1] - share[1])^2 + (share[2] - wilson[1, 2])^2))
  difference <- share[1] - share[2] + c(0, -far[1], far[2])
  emit_limits(analysis, "risk_difference", 100 * difference, ..., group = compared)
  cells <- c(x[1], n[2] - x[2], n[1] - x[1], x[2])
  if (any(cells == 0)) cells <- cells + .5
  error <- sqrt(sum(1 / cells))
  ratio <- exp(log(cells[1] * cells[2] / cells[3] / cells[4]) + c(0, -1, 1) * qnorm(.975) * error)
  if (sum(x) %in% c(0, sum(n))) ratio <- c(NaN, NaN, NaN)
  emit_limits(analysis, "odds_ratio", ratio, ..., group = compared)
}
emit_event <- function(analysis, statistics, has, ...) {
  emit_shares(analysis, has, ...)
  emit_tests(analysis, statistics, table(has, d$arm), ...)
  emit_contrasts(analysis, has, ...)
}

emit_quartiles <- function(analysis, x, type, ...) {
  q <- quantile(x, c(.5, .25, .75), type = type, na.rm = TRUE)
  for (i in 1:3) emit(analysis, c("median", "q1", "q3")[i], q[i], ...)
}

# demographics
levels_of <- list(sex = c("male", "female"), child_pugh = c("a", "b"),
  tumor_diameter = c("lt5", "ge5"), n_tumors = c("lt3", "ge3"), extrahepatic = c("yes", "no"),
  pvtt = c("no", "yes"), afp = c("lt400", "ge400"), mvi = c("positive", "negative"),
  interval = c("ge1y", "lt1y"))
for (g in names(groups)) emit("cohort", "n", nrow(groups[[g]]), group = g)
for (v in names(levels_of)) {
  for (l in levels_of[[v]]) emit_shares("baseline", d[[v]] == l, variable = v, level = l)
  emit_tests("baseline", "p", table(d[[v]], d$arm), variable = v)
  share <- tapply(d[[v]] == levels_of[[v]][1], d$arm, mean)
  smd <- abs(diff(share)) / sqrt(mean(share * (1 - share)))
  emit("baseline", "smd", smd, variable = v, group = compared)
}
emit_smd <- function(v, column) {
  x <- split(d[[column]], d$arm)
  smd <- abs(mean(x$tace_tc) - mean(x$tace_t)) / sqrt((var(x$tace_tc) + var(x$tace_t)) / 2)
  emit("baseline", "smd", smd, variable = v, group = compared)
}
means <- c(age = "age", platelet = "platelet")
for (v in names(means)) {
  for (g in names(groups)) {
    x <- groups[[g]][[means[v]]]
    emit("baseline", "mean", mean(x), variable = v, group = g)
    emit("baseline", "sd", sd(x), variable = v, group = g)
  }
  p <- t.test(d[[means[v]]] ~ d$arm, var.equal = TRUE)$p.value
  emit("baseline", "p", p, variable = v, group = "between_arms")
  emit_smd(v, means[v])
}
medians <- c(alt = "alt_baseline", ast = "ast", ggt = "ggt", total_bilirubin = "total_bilirubin",
  albumin = "albumin", lymphocyte = "lymphocyte", neutrophil = "neutrophil")
for (v in names(medians)) {
  for (g in names(groups)) {
    emit_quartiles("baseline", groups[[g]][[medians[v]]], 7, variable = v, group = g)
  }
  p <- suppressWarnings(wilcox.test(d[[medians[v]]] ~ d$arm, exact = FALSE)$p.value)
  emit("baseline", "p", p, variable = v, group = "between_arms")
  emit_smd(v, medians[v])
}
criteria <- list(`1` = d$child_pugh %in% c("a", "b"),
  `2` = d$pvtt == "yes" | d$extrahepatic == "yes" | d$tumor_diameter == "ge5")
criteria$all <- criteria[[1]] & criteria[[2]]
for (v in names(criteria)) emit_shares("eligibility", criteria[[v]], variable = v)
for (l in c("", "apatinib", "sorafenib", "lenvatinib")) {
  if (l != "") emit_shares("exposure", d$tki == l, variable = "tki", level = l)
  for (g in names(groups)) {
    x <- groups[[g]]$tki_months[l == "" | groups[[g]]$tki == l]
    values <- list(n = length(x), mean = mean(x), sd = sd(x), median = median(x))
    for (statistic in names(values)) {
      emit("exposure", paste0("duration_", statistic), values[[statistic]], "", "tki", l, g)
    }
  }
}

# response and paired measurements
emit_tests("response", names(rules), table(d$response, d$arm))
rates <- list(cr = "cr", pr = "pr", sd = "sd", pd = "pd", orr = c("cr", "pr"),
  dcr = c("cr", "pr", "sd"))
for (v in names(rates)) {
  emit_event("response", names(rules), d$response %in% rates[[v]], variable = v)
}
rank_sum <- function(x, arm) suppressWarnings(wilcox.test(x ~ arm, exact = FALSE)$p.value)
signed_rank <- function(x) suppressWarnings(wilcox.test(x, exact = FALSE)$p.value)
for (v in c("afp", "alt")) {
  x <- if (v == "afp") d[d$afp_baseline > 7, ] else d
  # Equal ratios tie, although their logarithms differ in the last bit.
  x$change <- round(log(x[[paste0(v, "_followup")]]) - log(x[[paste0(v, "_baseline")]]), 12)
  columns <- c(baseline = paste0(v, "_baseline"), followup = paste0(v, "_followup"),
    change = "change")
  for (l in names(columns)) {
    for (g in names(groups)) {
      values <- na.omit(x[[columns[l]]][g == "overall" | x$arm == g])
      emit("measurement", "n", length(values), variable = v, level = l, group = g)
      if (l != "change") {
        emit_quartiles("measurement", values, 6, variable = v, level = l, group = g)
        next
      }
      q <- exp(quantile(values, c(.5, .25, .75), type = 6))
      for (i in 1:3) emit("measurement", c("median", "q1", "q3")[i], q[i], "", v, l, g)
      emit("measurement", "p", signed_rank(values), variable = v, level = l, group = g)
    }
    p <- rank_sum(x[[columns[l]]], x$arm)
    emit("measurement", "p", p, variable = v, level = l, group = "between_arms")
  }
}

# survival
days_of <- function(x, endpoint) x[[paste0(endpoint, "_days")]] / month
events_of <- function(x, endpoint) x[[paste0(endpoint, "_event")]]
surv_of <- function(x, endpoint) Surv(days_of(x, endpoint), events_of(x, endpoint))
curve_of <- function(x, endpoint) survfit(surv_of(x, endpoint) ~ 1)
median_of <- function(fit) summary(fit)$table[c("median", "0.95LCL", "0.95UCL")]
medians_of <- function(x, endpoint, analysis, variable, level = "") {
  by_arm <- c(list(overall = x), split(x, x$arm))
  for (g in names(by_arm)) {
    s <- by_arm[[g]]
    emit(analysis, "n", nrow(s), endpoint, variable, level, g)
    emit(analysis, "n_event", sum(events_of(s, endpoint)), endpoint, variable, level, g)
    emit_limits(analysis, "median", median_of(curve_of(s, endpoint)), endpoint, variable, level, g)
  }
}
logrank <- function(x, endpoint) {
  pchisq(survdiff(surv_of(x, endpoint) ~ x$arm)$chisq, 1, lower.tail = FALSE)
}
for (e in c("os", "pfs")) {
  medians_of(d, e, "survival", "arm")
  emit("survival", "p_logrank", logrank(d, e), e, "arm", "", "between_arms")
  for (g in names(groups)) {
    s <- groups[[g]]
    at <- summary(curve_of(s, e), times = c(6, 12, 24, 36), extend = TRUE)
    for (i in which(at$time <= max(days_of(s, e)))) {
      values <- c(at$surv[i], at$lower[i], at$upper[i])
      emit_limits("survival", "survival", values, e, "arm", at$time[i], g)
    }
    reverse <- survfit(Surv(days_of(s, e), 1 - events_of(s, e)) ~ 1)
    emit_limits("survival", "followup_median", median_of(reverse), e, "arm", "", g)
  }
  horizon <- floor(min(tapply(days_of(d, e), d$arm, max)))
  means <- lapply(groups[arms], function(s) {
    summary(curve_of(s, e), rmean = horizon)$table[c("rmean", "se(rmean)")]
  })
  limits <- function(m, error) m + c(0, -1, 1) * qnorm(.975) * error
  for (a in arms) {
    emit_limits("survival", "rmst", limits(means[[a]][1], means[[a]][2]), e, "arm", horizon, a)
  }
  difference <- means$tace_tc[1] - means$tace_t[1]
  error <- sqrt(means$tace_tc[2]^2 + means$tace_t[2]^2)
  emit_limits("survival", "rmst_difference", limits(difference, error), e, "arm", horizon, compared)
  p <- 2 * pnorm(-abs(difference / error))
  emit("survival", "p_rmst_difference", p, e, "arm", horizon, compared)
}

# prognostic factors and treatment effect
contrasts_of <- list(child_pugh = c("a", "b"), n_tumors = c("lt3", "ge3"),
  tumor_diameter = c("lt5", "ge5"), pvtt = c("no", "yes"), extrahepatic = c("no", "yes"),
  afp = c("lt400", "ge400"), arm = arms, interval = c("ge1y", "lt1y"),
  mvi = c("negative", "positive"))
coded <- as.data.frame(Map(function(k, v) as.numeric(d[[v]] == k[2]), contrasts_of, names(contrasts_of)))
exact <- coxph.control(eps = 1e-13, toler.chol = 1e-15)
fit_cox <- function(endpoint, names, rows = rep(TRUE, nrow(d))) {
  x <- coded[rows, ]
  y <- surv_of(d[rows, ], endpoint)
  coxph(reformulate(names, quote(y)), x, control = exact)
}
hazards <- function(fit) cox.zph(fit, terms = FALSE)$table[, 3]
cox_rows <- function(fit, names, analysis, endpoint, variable = names, level = "") {
  for (i in seq_along(names)) {
    b <- coef(fit)[i]
    error <- sqrt(vcov(fit)[i, i])
    k <- contrasts_of[[names[i]]]
    for (direction in c(1, -1)) {
      pair <- if (direction == 1) rev(k) else k
      at <- list(endpoint, variable[i], level, paste(pair[1], "vs", pair[2], sep = "_"))
      ratio <- exp(direction * b + c(0, -1, 1) * qnorm(.975) * error)
      do.call(emit_limits, c(list(analysis, "hazard_ratio", ratio), at))
      do.call(emit, c(list(analysis, "p_wald", 2 * pnorm(-abs(b / error))), at))
      do.call(emit, c(list(analysis, "coef", direction * b), at))
      do.call(emit, c(list(analysis, "std_error", error), at))
      if (startsWith(analysis, "cox"))
        do.call(emit, c(list(analysis, "p_proportional_hazards", hazards(fit)[i]), at))
    }
  }
}
for (e in c("os", "pfs")) {
  fit <- fit_cox(e, "arm")
  cox_rows(fit, "arm", "survival", e)
  p <- hazards(fit)["GLOBAL"]
  emit("survival", "p_proportional_hazards", p, e, "arm", "", "between_arms")
  entered <- c()
  for (v in names(contrasts_of)) {
    fit <- fit_cox(e, v)
    cox_rows(fit, v, "cox_univariable", e)
    p <- 2 * pnorm(-abs(coef(fit) / sqrt(vcov(fit))))
    emit("cox_univariable", "p_screening", p, e, v)
    emit("cox_univariable", "entered", p < .1, e, v)
    emit("cox_univariable", "events_per_variable", fit$nevent, e, v)
    emit("cox_univariable", "concordance", concordance(fit)$concordance, e, v)
    emit("cox_univariable", "log_likelihood", fit$loglik[2], e, v)
    if (p < .1) entered <- c(entered, v)
  }
  models <- list(cox_multivariable = entered, cox_full = names(contrasts_of))
  for (analysis in names(models)) if (length(models[[analysis]])) {
    fit <- fit_cox(e, models[[analysis]])
    cox_rows(fit, models[[analysis]], analysis, e)
    emit(analysis, "n", fit$n, e)
    emit(analysis, "n_event", fit$nevent, e)
    emit(analysis, "events_per_variable", fit$nevent / length(coef(fit)), e)
    emit(analysis, "concordance", concordance(fit)$concordance, e)
    emit(analysis, "log_likelihood", fit$loglik[2], e)
    emit(analysis, "p_proportional_hazards", hazards(fit)["GLOBAL"], e)
  }
}

# subgroups
tests <- data.frame()
for (e in c("os", "pfs")) for (v in c("mvi", "interval")) {
  for (l in levels_of[[v]]) {
    rows <- d[[v]] == l
    medians_of(d[rows, ], e, "subgroup", v, l)
    cox_rows(fit_cox(e, "arm", rows), "arm", "subgroup", e, v, l)
    tests <- rbind(tests, data.frame(statistic = "p", e, v, l, p = logrank(d[rows, ], e)))
  }
  gain <- 2 * (fit_cox(e, paste("arm *", v))$loglik[2] - fit_cox(e, c("arm", v))$loglik[2])
  p <- pchisq(gain, 1, lower.tail = FALSE)
  tests <- rbind(tests, data.frame(statistic = "p_interaction", e, v, l = "", p))
}
for (s in split(tests, tests$statistic)) {
  values <- data.frame(s$p, p.adjust(s$p, "holm"), p.adjust(s$p, "BH"))
  names(values) <- c(s$statistic[1], "p_holm", "p_benjamini_hochberg")
  for (name in names(values)) for (i in seq_len(nrow(s))) {
    emit("subgroup", name, values[i, name], s$e[i], s$v[i], s$l[i], "between_arms")
  }
}

# safety
events <- sub("^ae_", "", grep("^ae_", names(d), value = TRUE))
for (l in c("any_grade", "severe")) {
  has <- sapply(events, function(v) d[[paste0("ae_", v)]] >= if (l == "severe") 3 else 1)
  for (v in events) emit_event("adverse_event", "p", has[, v], variable = v, level = l)
  emit_event("adverse_event", "p", rowSums(has) > 0, variable = "any", level = l)
}
emit_event("interruption", "p", d$interrupted == 1)
sink()
