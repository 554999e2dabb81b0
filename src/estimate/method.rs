//! How intervals are made, in a sentence each.

use serde::{Deserialize, Serialize};

use super::{between, epsilon, stratified};

/// How the interval was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(rename = "IntervalMethod"))]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    Wilson,
    /// Of few successes or failures.
    ClopperPearson,
    Newcombe,
    MoverR,
    /// With limits of few successes or failures.
    NewcombeExact,
    MoverRExact,
    SimultaneousNewcombeExact,
    SimultaneousMoverRExact,
    SimultaneousNewcombe,
    SimultaneousMoverR,
    Jackknife,
    SimultaneousJackknife,
    Bootstrap,
    Student,
    Simultaneous,
    DeLong,
    NoisyScore,
    NoisyNewcombe,
    NoisyMoverR,
    SimultaneousNoisyNewcombe,
    SimultaneousNoisyMoverR,
    NoisyBootstrap,
    NoisyStudent,
    SimultaneousNoisy,
    NoisyDeLong,
    NoisyGaps,
    Deviations,
    Mover,
    SimultaneousMover,
    Delta,
    Joint,
    WeightedShares,
    SimultaneousLogRatios,
    Dispersion,
}

const MOVER: &str = "Limits of a mean, quotient or odds of shares, and of comparisons of them, from the Wilson limits of the shares (MOVER; Zou and Donner 2008, Donner and Zou 2012).";
const SIMULTANEOUS_MOVER: &str = "Limits of comparisons of means, quotients or odds of shares, for all pairs at once, with the studentized range in place of the normal quantile (Tukey-Kramer).";
const JOINT: &str = "Several estimates in one figure: each within its own interval at its part of the error rate (Bonferroni); the range of the figure over them. Conservative; holds at equality.";

impl Method {
    /// One sentence for the method section of a report.
    pub fn describe(self) -> &'static str {
        match self {
            Method::Wilson => "Wilson score interval of a share of independent rows (Wilson 1927).",
            Method::Newcombe => {
                "Hybrid score interval of a difference of two independent shares (Newcombe 1998, method 10)."
            }
            Method::MoverR => {
                "MOVER-R interval of a ratio of two independent shares from their Wilson limits (Donner and Zou 2012)."
            }
            Method::ClopperPearson
            | Method::NewcombeExact
            | Method::MoverRExact
            | Method::SimultaneousNewcombeExact
            | Method::SimultaneousMoverRExact => self.describe_exact(),
            Method::SimultaneousNewcombe => {
                "Hybrid score intervals of all pairwise differences at once, with the studentized range in place of the normal quantile (Tukey-Kramer)."
            }
            Method::SimultaneousMoverR => {
                "MOVER-R intervals of all pairwise ratios at once, with the studentized range in place of the normal quantile (Tukey-Kramer)."
            }
            Method::Jackknife => {
                "Delete-a-bucket jackknife over buckets of the unit's hash, Student t (Shao and Tu 1995)."
            }
            Method::SimultaneousJackknife => {
                "Delete-a-bucket jackknife of all pairwise comparisons at once, studentized range scaled by Student t."
            }
            Method::Bootstrap => {
                "Percentiles of a multinomial bootstrap of the table's cells (Efron and Tibshirani 1993)."
            }
            Method::Student => "Mean and standard error, Student t; comparisons by the delta method.",
            Method::Simultaneous => {
                "Point and standard error of all pairwise comparisons at once, studentized range (Tukey-Kramer)."
            }
            Method::DeLong => {
                "Variance of placements (DeLong, DeLong and Clarke-Pearson 1988), normal quantile; beyond 0.9, and below 0.1, at least as wide as the score interval of Newcombe 2006 (method 5)."
            }
            Method::Deviations => {
                "Distance between two cohorts: point plus and minus a quantile of how far bootstrap replicates are from the observed distributions, in the same distance (triangle inequality; holds at equality too)."
            }
            Method::Mover => MOVER,
            Method::SimultaneousMover => SIMULTANEOUS_MOVER,
            Method::Delta => "Delta method on the counts of the table, normal quantile.",
            Method::Joint => JOINT,
            Method::WeightedShares => stratified::METHOD,
            Method::SimultaneousLogRatios => epsilon::METHOD,
            Method::Dispersion => between::METHOD,
            Method::NoisyScore
            | Method::NoisyNewcombe
            | Method::NoisyMoverR
            | Method::SimultaneousNoisyNewcombe
            | Method::SimultaneousNoisyMoverR
            | Method::NoisyBootstrap
            | Method::NoisyStudent
            | Method::SimultaneousNoisy
            | Method::NoisyDeLong
            | Method::NoisyGaps => self.describe_noisy(),
        }
    }

    /// The same of those with exact limits.
    fn describe_exact(self) -> &'static str {
        match self {
            Method::ClopperPearson => {
                "Fewer than 5 successes or failures: the outer limits of the exact interval (Clopper and Pearson 1934) and of the Wilson score interval. Conservative: it covers no less often than either."
            }
            Method::NewcombeExact => {
                "Hybrid of a difference (Newcombe 1998, method 10) of which a share has fewer than 5 successes or failures: exact limits (Clopper and Pearson 1934) where they are wider. Conservative."
            }
            Method::MoverRExact => {
                "MOVER-R interval of a ratio (Donner and Zou 2012) of which a share has fewer than 5 successes or failures: exact limits (Clopper and Pearson 1934) where they are wider. Conservative."
            }
            Method::SimultaneousNewcombeExact => {
                "Hybrid intervals of all pairwise differences at once (Tukey-Kramer), of shares with fewer than 5 successes or failures: exact limits (Clopper and Pearson 1934) where they are wider. Conservative."
            }
            Method::SimultaneousMoverRExact => {
                "MOVER-R intervals of all pairwise ratios at once (Tukey-Kramer), of shares with fewer than 5 successes or failures: exact limits (Clopper and Pearson 1934) where they are wider. Conservative."
            }
            _ => "",
        }
    }

    /// The same of those that cover noise.
    fn describe_noisy(self) -> &'static str {
        match self {
            Method::NoisyScore => {
                "Score interval with noise variance: the residual numerator - p denominator is tested with the variance of sampling and of the released noise (own derivation; without noise it is Wilson 1927; compared methods: Kao and Reiter 2025, arXiv 2511.02227)."
            }
            Method::NoisyNewcombe => {
                "Hybrid of the limits of two noisy shares (Newcombe 1998, method 10), the limits from score tests with noise variance."
            }
            Method::NoisyMoverR => {
                "MOVER-R interval of a ratio of two noisy shares (Donner and Zou 2012), the limits from score tests with noise variance."
            }
            Method::SimultaneousNoisyNewcombe => {
                "Hybrid intervals of all pairwise differences of noisy shares at once: error rate per pair that of the studentized range (Tukey-Kramer), limits with noise variance."
            }
            Method::SimultaneousNoisyMoverR => {
                "MOVER-R intervals of all pairwise ratios of noisy shares at once: error rate per pair that of the studentized range (Tukey-Kramer), limits with noise variance."
            }
            Method::NoisyBootstrap => {
                "Bootstrap of a noisy table: cells drawn from the multinomial distribution, with fresh noise of the same law; quantiles of the error around the figure (Efron and Tibshirani 1993; Ferrando, Wang and Sheldon 2022 for noise)."
            }
            Method::NoisyStudent => {
                "Sampling and noise variance by the delta method, Student t; heavier tails of the noise in the critical value."
            }
            Method::SimultaneousNoisy => {
                "Sampling and noise variance by the delta method, of all pairwise comparisons at once: error rate per pair that of the studentized range (Tukey-Kramer)."
            }
            Method::NoisyDeLong => {
                "Variance of placements (DeLong, DeLong and Clarke-Pearson 1988) and of the noise in every bin by the delta method."
            }
            Method::NoisyGaps => {
                "Bounds from the gaps of all bins and the number of rows at once (Bonferroni): absolute gaps are biased upwards by noise, so the point is too."
            }
            _ => "",
        }
    }

    /// True for intervals that cover the noise of a release too.
    pub fn is_noisy(self) -> bool {
        use Method::*;
        match self {
            Wilson
            | ClopperPearson
            | Newcombe
            | MoverR
            | NewcombeExact
            | MoverRExact
            | SimultaneousNewcombeExact
            | SimultaneousMoverRExact
            | SimultaneousNewcombe
            | SimultaneousMoverR
            | Jackknife
            | SimultaneousJackknife
            | Bootstrap
            | Student
            | Simultaneous
            | DeLong
            | Deviations
            | Mover
            | SimultaneousMover
            | Delta
            | Joint
            | WeightedShares
            | SimultaneousLogRatios
            | Dispersion => false,
            NoisyScore
            | NoisyNewcombe
            | NoisyMoverR
            | SimultaneousNoisyNewcombe
            | SimultaneousNoisyMoverR
            | NoisyBootstrap
            | NoisyStudent
            | SimultaneousNoisy
            | NoisyDeLong
            | NoisyGaps => true,
        }
    }
}
