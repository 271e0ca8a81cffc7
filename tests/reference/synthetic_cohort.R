# Recomputes from data/cohort.csv, with R's survival and stats alone, what the book prints.
# Rscript tests/reference/synthetic_cohort.R > tests/reference/synthetic_cohort.csv
library(survival)
options(digits = 17, warn = 1)
d <- read.csv("data/cohort.csv", stringsAsFactors = FALSE)
arms <- c("tace_t", "tace_tc")
d$afp <- ifelse(d$afp_baseline >= 400, "ge400", "lt400")
month <- 30.4375

emit <- function(analysis, statistic, value, endpoint = "", variable = "", level = "", group = "") {
  shown <- ifelse(is.na(value), ifelse(is.nan(value), "nan", "inf"), sprintf("%.17g", value))
  cat(paste(analysis, endpoint, variable, level, group, statistic, shown, sep = ","), sep = "\n")
}
cat("analysis,endpoint,variable,level,group,statistic,value\n")
groups <- list(overall = d, tace_t = d[d$arm == "tace_t", ], tace_tc = d[d$arm == "tace_tc", ])

observed_rule <- function(table) {
  table <- table[rowSums(table) > 0, , drop = FALSE]
  if (nrow(table) < 2) return(NaN)
  if (min(table) < 5) fisher.test(table)$p.value
  else suppressWarnings(chisq.test(table, correct = FALSE)$p.value)
}

# demographics
levels_of <- list(sex = c("male", "female"), child_pugh = c("a", "b"),
  tumor_diameter = c("lt5", "ge5"), n_tumors = c("lt3", "ge3"), extrahepatic = c("yes", "no"),
  pvtt = c("no", "yes"), afp = c("lt400", "ge400"), mvi = c("positive", "negative"),
  interval = c("ge1y", "lt1y"))
for (g in names(groups)) emit("cohort", "n", nrow(groups[[g]]), group = g)
for (v in names(levels_of)) {
  for (g in names(groups)) for (l in levels_of[[v]]) {
    n <- sum(groups[[g]][[v]] == l)
    emit("baseline", "n", n, variable = v, level = l, group = g)
    emit("baseline", "percent", 100 * n / nrow(groups[[g]]), variable = v, level = l, group = g)
  }
  emit("baseline", "p", observed_rule(table(d[[v]], d$arm)), variable = v, group = "between_arms")
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
}
medians <- c(alt = "alt_baseline", ast = "ast", ggt = "ggt", total_bilirubin = "total_bilirubin",
  albumin = "albumin", lymphocyte = "lymphocyte", neutrophil = "neutrophil")
for (v in names(medians)) {
  for (g in names(groups)) {
    q <- quantile(groups[[g]][[medians[v]]], c(.25, .5, .75), type = 7)
    emit("baseline", "q1", q[1], variable = v, group = g)
    emit("baseline", "median", q[2], variable = v, group = g)
    emit("baseline", "q3", q[3], variable = v, group = g)
  }
  p <- suppressWarnings(wilcox.test(d[[medians[v]]] ~ d$arm, exact = FALSE)$p.value)
  emit("baseline", "p", p, variable = v, group = "between_arms")
}
for (l in c("apatinib", "sorafenib", "lenvatinib")) {
  x <- groups$tace_tc[groups$tace_tc$tki == l, ]
  emit("exposure", "n", nrow(x), variable = "tki", level = l, group = "tace_tc")
  emit("exposure", "duration_mean", mean(x$tki_months), variable = "tki", level = l, group = "tace_tc")
}

# response and paired measurements
rates <- list(orr = c("cr", "pr"), dcr = c("cr", "pr", "sd"))
for (v in names(rates)) {
  has <- d$response %in% rates[[v]]
  for (a in arms) emit("response", "percent", 100 * mean(has[d$arm == a]), variable = v, group = a)
  emit("response", "p", observed_rule(table(has, d$arm)), variable = v, group = "between_arms")
  emit("response", "p_yates", chisq.test(table(has, d$arm))$p.value, variable = v, group = "between_arms")
  emit("response", "p_fisher", fisher.test(table(has, d$arm))$p.value, variable = v, group = "between_arms")
}
paired <- list(afp = d[d$afp_baseline > 7, ], alt = d)
for (v in names(paired)) for (a in arms) for (l in c("baseline", "followup")) {
  x <- paired[[v]][paired[[v]]$arm == a, paste(v, l, sep = "_")]
  q <- quantile(x, c(.25, .5, .75), type = 6, na.rm = TRUE)
  for (i in 1:3) emit("measurement", c("q1", "median", "q3")[i], q[i], variable = v, level = l, group = a)
}

# survival, prognostic factors, subgroups
medians_of <- function(x, endpoint, analysis, variable = "arm", level = "") {
  for (a in arms) {
    s <- x[x$arm == a, ]
    f <- survfit(Surv(s[[paste0(endpoint, "_days")]] / month, s[[paste0(endpoint, "_event")]]) ~ 1)
    q <- quantile(f, .5)
    keys <- list(endpoint = endpoint, variable = variable, level = level, group = a)
    emit_at <- function(statistic, value) do.call(emit, c(list(analysis, statistic, value), keys))
    emit_at("n_event", sum(s[[paste0(endpoint, "_event")]]))
    emit_at("median", q$quantile)
    emit_at("median_conf_low", q$lower)
    emit_at("median_conf_high", q$upper)
  }
}
contrasts_of <- list(arm = arms, child_pugh = c("a", "b"), n_tumors = c("lt3", "ge3"),
  tumor_diameter = c("lt5", "ge5"), pvtt = c("no", "yes"), extrahepatic = c("no", "yes"),
  afp = c("lt400", "ge400"), interval = c("ge1y", "lt1y"), mvi = c("negative", "positive"))
cox_rows <- function(fit, names, analysis, endpoint) {
  zph <- cox.zph(fit, terms = FALSE)$table
  for (i in seq_along(names)) {
    b <- coef(fit)[i]; se <- sqrt(vcov(fit)[i, i]); z <- qnorm(.975)
    k <- contrasts_of[[names[i]]]
    for (direction in c(1, -1)) {
      pair <- if (direction == 1) rev(k) else k
      group <- paste(pair[1], "vs", pair[2], sep = "_")
      keys <- list(endpoint = endpoint, variable = names[i], group = group)
      emit_at <- function(statistic, value) do.call(emit, c(list(analysis, statistic, value), keys))
      emit_at("hazard_ratio", exp(direction * b))
      emit_at("hazard_ratio_conf_low", exp(direction * b - z * se))
      emit_at("hazard_ratio_conf_high", exp(direction * b + z * se))
      emit_at("p_wald", 2 * pnorm(-abs(b / se)))
      if (direction == 1 && analysis != "survival") emit_at("p_proportional_hazards", zph[i, 3])
    }
  }
}
for (e in c("os", "pfs")) {
  y <- Surv(d[[paste0(e, "_days")]] / month, d[[paste0(e, "_event")]])
  coded <- as.data.frame(lapply(names(contrasts_of), function(v) as.numeric(d[[v]] == contrasts_of[[v]][2])))
  names(coded) <- names(contrasts_of)
  medians_of(d, e, "survival")
  test <- survdiff(y ~ d$arm)
  emit("survival", "p_logrank", pchisq(test$chisq, 1, lower.tail = FALSE), e, "arm", "", "between_arms")
  arm_fit <- coxph(y ~ arm, coded, control = coxph.control(eps = 1e-13, toler.chol = 1e-15))
  cox_rows(arm_fit, "arm", "survival", e)
  entered <- c()
  for (v in names(contrasts_of)) {
    fit <- coxph(as.formula(paste("y ~", v)), coded, control = coxph.control(eps = 1e-13, toler.chol = 1e-15))
    cox_rows(fit, v, "cox_univariable", e)
    if (2 * pnorm(-abs(coef(fit) / sqrt(vcov(fit)))) < .1) entered <- c(entered, v)
  }
  entered <- names(contrasts_of)[names(contrasts_of) %in% entered]
  fit <- coxph(as.formula(paste("y ~", paste(entered, collapse = "+"))), coded,
    control = coxph.control(eps = 1e-13, toler.chol = 1e-15))
  cox_rows(fit, entered, "cox_multivariable", e)
  emit("cox_multivariable", "concordance", concordance(fit)$concordance, e)
  emit("cox_multivariable", "log_likelihood", fit$loglik[2], e)
  for (v in c("mvi", "interval")) {
    for (l in levels_of[[v]]) {
      x <- d[d[[v]] == l, ]
      medians_of(x, e, "subgroup", v, l)
      test <- survdiff(Surv(x[[paste0(e, "_days")]], x[[paste0(e, "_event")]]) ~ x$arm)
      emit("subgroup", "p", pchisq(test$chisq, 1, lower.tail = FALSE), e, v, l, "between_arms")
    }
    plain <- coxph(y ~ coded$arm + coded[[v]])
    crossed <- coxph(y ~ coded$arm * coded[[v]])
    gain <- 2 * (crossed$loglik[2] - plain$loglik[2])
    emit("subgroup", "p_interaction", pchisq(gain, 1, lower.tail = FALSE), e, v, "", "between_arms")
  }
}

# safety
events <- sub("^ae_", "", grep("^ae_", names(d), value = TRUE))
for (v in events) for (l in c("any_grade", "severe")) {
  has <- d[[paste0("ae_", v)]] >= if (l == "severe") 3 else 1
  for (a in arms) emit("adverse_event", "n", sum(has[d$arm == a]), "", v, l, a)
  emit("adverse_event", "p", observed_rule(table(has, d$arm)), "", v, l, "between_arms")
}
