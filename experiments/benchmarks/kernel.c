/* The model in C, written straight from its rules: what a compiler makes of the same arithmetic.

   limit.py writes layout.h (the fields of the records and the keys of the streams), compiles this file and runs

       kernel INPUT SEED SYSTEMS ORGANISATIONS MANAGERS MONTHS WINDOW TURNS OUTPUT

   INPUT holds the parameters and then the levers of each month, all doubles. OUTPUT receives the national sums by
   month, the totals of each post and its last indicators. Printed are the seconds of the fastest turn: of the whole
   model, and of its random numbers alone. */

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "layout.h"

typedef struct values values;
typedef struct levers levers;
typedef struct row row;
typedef struct draws draws;

typedef struct {
    double motivation_at_start, boldness, crowding, anxiety, integrity, skill, fear, record;
} person;

typedef struct {
    person who;
    double practice, need, uniqueness, circumstances, method, motivation, trust, confidence, distress, cooperation;
    uint64_t appointments;
} post;

typedef struct {
    person who;
    double left;
} candidate;

typedef struct {
    double deviation, safety, reputation, mean_effort, fear, trust, monitoring, felt, assurance;
    double sanctioned, spoken, spared[LANES], unpunished[LANES], reported[LANES], effort[LANES];
} place;

/* What a month is the same for everyone, or for a system. */
typedef struct {
    const values *p;
    const levers *lever;
    double common, standard, stakes, cooperation, overload, local_shock, colleague, stranger;
} climate;

typedef struct {
    size_t systems, organisations, managers, months, window;
} sizes;

typedef struct {
    candidate *people;
    size_t waiting, room;
} market;

static void *allocated(size_t bytes) {
    void *memory = calloc(1, bytes);
    if (!memory) {
        fputs("no memory\n", stderr);
        exit(1);
    }
    return memory;
}

static inline double smaller(double a, double b) { return a < b ? a : b; }
static inline double larger(double a, double b) { return a > b ? a : b; }
static inline double clip(double x) { return smaller(larger(x, 0.0), 1.0); }
/* The model's own arithmetic, as in sim/model/arithmetic.py. */

static inline int64_t bits_of(double x) {
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double float_of(int64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline double upper_half(double x) { return float_of(bits_of(x) & -(INT64_C(1) << 27)); }

#define LN2_HIGH 6.93147180369123816490e-01
#define LN2_LOW 1.90821492927058770002e-10
#define TO_WHOLE 6755399441055744.0

static inline double own_exp_and(double x, double rest) {
    double near = x < -746.0 ? -746.0 : x;
    near = near > 710.0 ? 710.0 : near;
#ifdef __FAST_MATH__ /* which would take the large number off again before it has rounded anything */
    double n = rint(near * 1.4426950408889634);
    int64_t exponent = (int64_t)n;
#else
    double shifted = near * 1.4426950408889634 + TO_WHOLE, n = shifted - TO_WHOLE;
    int64_t exponent = bits_of(shifted) & 0xFFF;
#endif
    double high = near - n * LN2_HIGH, low = n * LN2_LOW - rest;
    double r = high - low, r2 = r * r;
    double even = (((2.7630240762625773e-07 * r2 + 2.4801493118553015e-05) * r2 + 0.0013888888943613012) * r2 +
                   0.04166666666653022) * r2 + 0.5000000000000011;
    double odd = (((2.5000062560931474e-08 * r2 + 2.7557586333662796e-06) * r2 + 0.000198412695066637) * r2 +
                  0.008333333333494406) * r2 + 0.16666666666666413;
    double y = 1.0 + (high + (r2 * (even + r * odd) - low));
    exponent += x < 0.0 ? 1223 : 823;
    return y * float_of((int64_t)((uint64_t)exponent << 52)) *
           (x < 0.0 ? 6.223015277861142e-61 : 1.6069380442589903e60);
}

static inline double own_exp(double x) { return own_exp_and(x, 0.0); }

static inline double binary(double x, double *f) {
    double finite = x < INFINITY ? x : 1.0;
    bool tiny = finite < 2.2250738585072014e-308;
    double normal = tiny ? finite * 18014398509481984.0 : finite;
    int64_t moved = (bits_of(normal) & 0x7FFFFFFFFFFFFFFF) + 0x00095F619980C433;
    *f = float_of((moved & 0x000FFFFFFFFFFFFF) + 0x3FE6A09E667F3BCD) - 1.0;
    return float_of((moved >> 52) | 0x4330000000000000) - (tiny ? 0x1p52 + 1077.0 : 0x1p52 + 1023.0);
}

static inline double log_series(double z) {
    double w = z * z;
    double even = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
    return even + z * (6.666666666666735130e-01 +
                       w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
}

static inline double own_log(double x) {
    double f, n = binary(x, &f), s = f / (2.0 + f), half = 0.5 * f * f;
    double y = n * LN2_HIGH - ((half - (s * (half + log_series(s * s)) + n * LN2_LOW)) - f);
    y = x < INFINITY ? y : x;
    return x > 0.0 ? y : x == 0.0 ? -INFINITY : NAN;
}

static inline double own_power(double x, double y) {
    double f, n = binary(x, &f), total = 2.0 + f, inverse = 1.0 / total, s = f * inverse;
    double total_high = upper_half(total), total_low = f - (total_high - 2.0);
    double s_high = upper_half(s), s_low = inverse * ((f - s_high * total_high) - s_high * total_low);
    double whole = n * LN2_HIGH, twice = 2.0 * s_high, leading = whole + twice;
    double trailing = (twice - (leading - whole)) + (n * LN2_LOW + (2.0 * s_low + s * log_series(s * s)));
    double log_high = upper_half(leading + trailing), log_low = (leading - log_high) + trailing;
    double times = smaller(larger(y, -1e20), 1e20), times_high = upper_half(times);
    double product = times_high * log_high, rest = (times - times_high) * log_high + times * log_low;
    double result = own_exp_and(product, fabs(product) < 750.0 ? rest : 0.0);
    double falling = x > 0.0 ? 0.0 : INFINITY, edge = y > 0.0 ? x * x : falling;
    result = x > 0.0 && x < INFINITY ? result : edge;
    result = x >= 0.0 && y == y ? result : NAN;
    return y == 0.0 ? 1.0 : result;
}

static inline double logistic(double x) { return 1.0 / (1.0 + own_exp(-x)); }

static inline double softplus(double x) {
    double u = own_exp(-fabs(x)), more = 1.0 + u;
    return (own_log(more) + (u - (more - 1.0)) / more) + (x < 0.0 ? 0.0 : x);
}

/* Sums over posts, lane by lane, as in sim/model/record.py. */

static inline double fold(const double x[LANES]) {
    double a = x[0] + x[4], b = x[1] + x[5], c = x[2] + x[6], d = x[3] + x[7];
    return (a + c) + (b + d);
}

/* times times the logarithm of what is left when a share is lost. */
static inline double decline(double lost, double times) { return times > 0.0 ? times * own_log(1.0 - lost) : 0.0; }

static inline double unit(uint64_t word) { return (double)(int64_t)(word >> 11) * 0x1p-53; }

static void philox(uint64_t seed, uint64_t key, uint64_t index, uint64_t count, uint64_t block, uint64_t out[4]) {
    uint64_t c0 = block + 1, c1 = count, c2 = index, c3 = 0;
    for (int round = 0; round < 10; round++) {
        unsigned __int128 a = (unsigned __int128)0xD2E7470EE14C6C93u * c0;
        unsigned __int128 b = (unsigned __int128)0xCA5A826395121157u * c2;
        c0 = (uint64_t)(b >> 64) ^ c1 ^ seed;
        c2 = (uint64_t)(a >> 64) ^ c3 ^ key;
        c1 = (uint64_t)b;
        c3 = (uint64_t)a;
        seed += 0x9E3779B97F4A7C15u;
        key += 0xBB67AE8584CAA73Bu;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

static void keyed(uint64_t seed, int stream, uint64_t index, uint64_t count, double u[8]) {
    uint64_t words[8];
    philox(seed, KEYS[stream], index, count, 0, words);
    philox(seed, KEYS[stream], index, count, 1, words + 4);
    for (int k = 0; k < 8; k++) u[k] = unit(words[k]);
}

typedef struct {
    uint64_t a[ABREAST], b[ABREAST], c[ABREAST], counter[ABREAST];
} lanes;

static void draw_lanes(lanes *restrict state, size_t rows, draws *restrict out) {
    lanes s = *state;
    for (size_t i = 0; i < rows; i++) {
        double *restrict u = (double *)&out[i];
        for (int lane = 0; lane < ABREAST; lane++) {
            uint64_t word = s.a[lane] + s.b[lane] + s.counter[lane]++;
            s.a[lane] = s.b[lane] ^ (s.b[lane] >> 11);
            s.b[lane] = s.c[lane] + (s.c[lane] << 3);
            s.c[lane] = ((s.c[lane] << 24) | (s.c[lane] >> 40)) + word;
            u[lane] = unit(word);
        }
    }
    *state = s;
}

static void seed_lanes(lanes *state, uint64_t seed) {
    draws discarded[12];
    for (int lane = 0; lane < ABREAST; lane++) {
        uint64_t words[4];
        philox(seed, KEYS[STREAM], MONTHLY_KEYS[lane], 0, 0, words);
        state->a[lane] = words[2], state->b[lane] = words[1], state->c[lane] = words[0], state->counter[lane] = 1;
    }
    draw_lanes(state, 12, discarded);
}

static inline double polynomial(const double c[8], double r) {
    return ((((((c[7] * r + c[6]) * r + c[5]) * r + c[4]) * r + c[3]) * r + c[2]) * r + c[1]) * r + c[0];
}

static const double MIDDLE_TOP[8] = {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
                                     1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
                                     3.3430575583588128105e4, 2.5090809287301226727e3};
static const double MIDDLE_BOTTOM[8] = {1.0,
                                        4.2313330701600911252e1,
                                        6.8718700749205790830e2,
                                        5.3941960214247511077e3,
                                        2.1213794301586595867e4,
                                        3.9307895800092710610e4,
                                        2.8729085735721942674e4,
                                        5.2264952788528545610e3};
static const double TAIL_TOP[8] = {1.42343711074968357734e0,  4.63033784615654529590e0,  5.76949722146069140550e0,
                                   3.64784832476320460504e0,  1.27045825245236838258e0,  2.41780725177450611770e-1,
                                   2.27238449892691845833e-2, 7.74545014278341407640e-4};
static const double TAIL_BOTTOM[8] = {1.0,
                                      2.05319162663775882187e0,
                                      1.67638483018380384940e0,
                                      6.89767334985100004550e-1,
                                      1.48103976427480074590e-1,
                                      1.51986665636164571966e-2,
                                      5.47593808499534494600e-4,
                                      1.05075007164441684324e-9};
static const double FAR_TOP[8] = {6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,
                                  2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                  2.71155556874348757815e-5, 2.01033439929228813265e-7};
static const double FAR_BOTTOM[8] = {1.0,
                                     5.99832206555887937690e-1,
                                     1.36929880922735805310e-1,
                                     1.48753612908506148525e-2,
                                     7.86869131145613259100e-4,
                                     1.84631831751005468180e-5,
                                     1.42151175831644588870e-7,
                                     2.04426310338993978564e-15};

static inline double centred(double u) { return u - 0.5 + 0x1p-54; }

static inline double middle_quantile(double q) {
    double r = 0.180625 - q * q;
    return q * polynomial(MIDDLE_TOP, r) / polynomial(MIDDLE_BOTTOM, r);
}

static double tail_quantile(double u, double q) {
    double r = sqrt(-own_log(q < 0.0 ? u + 0x1p-54 : 1.0 - u - 0x1p-54));
    bool far = r > 5.0;
    r -= far ? 5.0 : 1.6;
    double top = polynomial(far ? FAR_TOP : TAIL_TOP, r), bottom = polynomial(far ? FAR_BOTTOM : TAIL_BOTTOM, r);
    return q < 0.0 ? -top / bottom : top / bottom;
}

static double normal(double u) {
    double q = centred(u);
    return fabs(q) <= 0.425 ? middle_quantile(q) : tail_quantile(u, q);
}

static void draw_normals(size_t rows, const draws *restrict u, double *restrict shock, double *restrict chance) {
    for (size_t i = 0; i < rows; i++) shock[i] = middle_quantile(centred(u[i].need_drift));
    for (size_t i = 0; i < rows; i++) chance[i] = middle_quantile(centred(u[i].chance));
    for (size_t i = 0; i < rows; i++) {
        double q = centred(u[i].need_drift), r = centred(u[i].chance);
        if (fabs(q) > 0.425) shock[i] = tail_quantile(u[i].need_drift, q);
        if (fabs(r) > 0.425) chance[i] = tail_quantile(u[i].chance, r);
    }
}

/* People come and go. */

static inline double share(double u, double mean, double sd) {
    return smaller(larger(mean + sd * normal(u), 0.01), 0.99);
}

static inline double factor_of(double drawn, double sd) { return own_exp(sd * drawn - 0.5 * sd * sd); }

static person drawn_person(const double u[8], double boldness_mean, double fear, const values *p) {
    double factor = u[0] < p->poor_share ? p->poor_factor : 1.0;
    person who = {
        .motivation_at_start = share(u[1], p->motivation_mean, p->motivation_sd) * factor,
        .integrity = share(u[2], p->integrity_mean, p->integrity_sd) * factor,
        .skill = share(u[3], p->skill_mean, p->skill_sd),
        .boldness = boldness_mean + p->boldness_sd * normal(u[4]),
        .crowding = p->crowding_mean + p->crowding_sd * normal(u[5]),
        .anxiety = factor_of(normal(u[6]), p->anxiety_sd),
        .fear = fear,
    };
    return who;
}

static void begin(post *one) {
    one->motivation = one->who.motivation_at_start;
    one->confidence = 0.5, one->distress = 0.0, one->cooperation = 0.3;
}

/* Of an organisation, whose first post has the number `first` within its system. */
static void set_organisation_climate(place *o, const post *posts, size_t first, size_t managers) {
    double fear[LANES] = {0.0}, trust[LANES] = {0.0};
    for (size_t i = 0; i < managers; i++) {
        fear[(first + i) % LANES] += posts[i].who.fear;
        trust[(first + i) % LANES] += posts[i].trust;
    }
    o->fear = fold(fear) / (double)managers, o->trust = fold(trust) / (double)managers;
}

static double mean_cooperation(const post *posts, size_t count) {
    double total[LANES] = {0.0};
    for (size_t i = 0; i < count; i++) total[i % LANES] += posts[i].cooperation;
    return fold(total) / (double)count;
}

static void start(post *posts, place *places, const sizes *n, double standard, double local_sd, const values *p,
                  uint64_t seed) {
    double u[8];
    for (size_t o = 0; o < n->systems * n->organisations; o++) {
        keyed(seed, ORGANISATION, o, 0, u);
        places[o] = (place){.deviation = p->monitoring_sd * normal(u[0]), .safety = 0.3, .reputation = 0.5,
                            .mean_effort = p->motivation_mean};
        for (size_t i = o * n->managers; i < (o + 1) * n->managers; i++) {
            post *one = &posts[i];
            keyed(seed, POST, i, 0, u);
            one->uniqueness = normal(u[0]), one->need = local_sd * normal(u[1]), one->practice = standard;
            keyed(seed, CIRCUMSTANCES, i, 0, u);
            one->circumstances = factor_of(normal(u[0]), p->unit_sd), one->method = 1.0;
            keyed(seed, NEWCOMER, i, 0, u);
            one->who = drawn_person(u, 0.0, 0.2, p);
            one->trust = 0.5;
            begin(one);
        }
        set_organisation_climate(&places[o], &posts[o * n->managers], o % n->organisations * n->managers, n->managers);
    }
}

static void leave_market(market *m, double month, double market_months) {
    size_t kept = 0;
    for (size_t j = 0; j < m->waiting; j++)
        if (month - m->people[j].left <= market_months) m->people[kept++] = m->people[j];
    m->waiting = kept;
}

static void make_room(market *m, size_t more) {
    if (m->waiting + more <= m->room) return;
    m->room = (m->waiting + more) * 3 / 2;
    m->people = realloc(m->people, m->room * sizeof(candidate));
    if (!m->people) abort();
}

/* A month. */

static double overload_of(double cooperation, const levers *lever, const values *p) {
    double blocked = p->demand * (1.0 + p->bed_blocking * (1.0 - lever->social_care_budget));
    double load = blocked / (lever->acute_budget * (1.0 + p->cooperation_gain * cooperation));
    return softplus(10.0 * (load - 1.0)) / 10.0;
}

static void set_oversight(place *o, double chief_fear, double mean_reputation, const climate *c) {
    const values *p = c->p;
    double seen = c->lever->monitoring + o->deviation + c->lever->risk_based * (mean_reputation - o->reputation);
    o->monitoring = clip(seen);
    o->felt = o->monitoring + (1.0 - o->monitoring) * p->cascade * chief_fear * o->monitoring;
    o->assurance = p->burden * own_power(o->felt, p->burden_power);
    o->sanctioned = o->spoken = 0.0;
    memset(o->spared, 0, sizeof o->spared), memset(o->unpunished, 0, sizeof o->unpunished);
    memset(o->reported, 0, sizeof o->reported), memset(o->effort, 0, sizeof o->effort);
}

static inline double chance_of_speaking_up(const post *one, bool negligent, double m, const climate *c) {
    const values *p = c->p;
    double prudence = p->speak_prudence * m * c->lever->punitiveness * c->lever->leniency;
    double chance = logistic(p->speak_sensitivity * (one->trust - one->who.fear) + p->speak_base + prudence);
    return negligent ? chance * p->speak_negligence : chance;
}

static inline double chance_of_sanction(bool negligent, bool spoken, double m, const climate *c) {
    const levers *lever = c->lever;
    double blame = negligent ? 1.0 : (1.0 - lever->discernment) * (1.0 - c->p->exoneration * m);
    return lever->punitiveness * blame * (spoken ? 1.0 - lever->leniency : 1.0);
}

static inline void decide(post *restrict one, row *restrict r, place *restrict o, const draws *restrict u,
                          double chance, size_t lane, const climate *restrict c) {
    const values *p = c->p;
    const levers *lever = c->lever;
    double m = o->felt, k = c->stakes, overload = c->overload, assurance = o->assurance;
    double fear = one->who.fear, trust = one->trust, skill = one->who.skill, integrity = one->who.integrity;
    double need = c->common + one->need;
    double relationship = clip(lever->relationship + p->relationship_sd * one->uniqueness);
    double spent = 1.0 - assurance - p->relationship_time * relationship - p->cooperation_cost * one->cooperation;
    double w = larger(spent, 0.05), support = own_power(relationship, p->relationship_power);

    double supported = 1.0 - one->who.crowding * m * (1.0 - trust) + p->reciprocity * (trust - 0.5);
    supported -= p->complacency * larger(trust - 0.5, 0.0) * (1.0 - larger(m, lever->targets));
    one->motivation += p->motivation_speed * (clip(one->who.motivation_at_start * supported) - one->motivation);
    double pull = smaller(p->deterrence * m * (0.5 * lever->punitiveness + 0.5 * fear) * k, 1.0);
    double effort = one->motivation + (1.0 - one->motivation) * pull;

    double pressure = lever->targets * (0.5 + 0.5 * fear);
    double attention = p->focus_own + (0.95 - p->focus_own) * p->focus_pull * pressure;
    double balance = 2.0 * sqrt(attention * (1.0 - attention));
    double ability = p->skill_floor + (1.0 - p->skill_floor) * skill;
    double service = w * effort * ability * one->circumstances * one->method / (1.0 + overload);
    double honest = 2.0 * service * attention + p->chance_sd * chance;
    double shortfall = larger(p->target_level - honest, 0.0);
    double most = p->gaming_max * (1.0 - integrity) * pressure * (1.0 - p->audit * o->monitoring);
    double gaming = smaller(most, shortfall);
    double reported = honest + gaming;

    double distance = fabs(need - one->practice);
    bool tried = false, succeeded = false, needless = false;
    double occasion = p->opportunity * larger(1.0 - overload, 0.0) * w;
    if (u->initiative < occasion) {
        double change = smaller(distance / p->step, 1.0);
        double likely = one->confidence * (1.0 - skill + skill * change);
        double hope = likely * (0.5 + 0.5 * trust), dread = p->loss_aversion * (1.0 - likely) * fear * k;
        double missing = p->aspiration * lever->targets * shortfall / p->target_level;
        double value = hope - dread - p->initiative_cost + missing;
        double able = p->success_base + p->success_skill * skill + p->success_cooperation * c->cooperation;
        tried = u->initiative < occasion * logistic(p->sensitivity * value + one->who.boldness);
        succeeded = tried & (u->success < smaller(able, 0.95) * change);
        needless = tried & (distance < 0.5 * p->step);
    }
    one->practice += succeeded * larger(smaller(need - one->practice, p->step), -p->step);
    distance = fabs(need - one->practice);

    double strained = 1.0 + p->overload_slip * overload;
    bool negligent = u->negligence < smaller(p->slip_negligence * (1.0 - effort) * strained, 1.0);
    double careless = (p->slip_mishap + p->slip_unskilled * (1.0 - skill)) * strained;
    careless = careless * (1.0 - p->safety_effect * o->safety) * (1.0 - p->standard_safety * lever->standardisation);
    bool mishap = u->mishap < smaller(careless, 1.0);
    bool slipped = negligent | (tried & !succeeded) | mishap;

    bool spoken = false, known = false, sanctioned = false, unfair = false;
    double harm = 0.0;
    if (slipped) {
        spoken = u->speaking_up < chance_of_speaking_up(one, negligent, m, c);
        known = spoken || u->discovery < m;
        double late = known ? 1.0 + (p->harm_hidden_factor - 1.0) * (1.0 - p->rescue) : p->harm_hidden_factor;
        harm = spoken ? p->harm_known : p->harm_known * late;
        sanctioned = known && u->sanction < chance_of_sanction(negligent, spoken, m, c);
        unfair = sanctioned && !negligent;
    }
    double missed = larger(p->target_level - reported, 0.0);
    double calling = smaller(lever->targets * p->account_rate * missed / p->target_level, 1.0);
    bool called = !sanctioned && u->account < calling;
    if (called) {
        sanctioned = u->account_sanction < lever->punitiveness * (1.0 - lever->discernment * effort);
        unfair = sanctioned && effort >= o->mean_effort;
    }
    double spared = (known || called) && !sanctioned ? (spoken ? 1.0 : p->found_reassures) : 0.0;
    double unpunished = negligent && !sanctioned ? (known ? 1.0 : p->peers_see) : 0.0;

    double fit = own_exp(-0.5 * (distance * distance));
    double strain = integrity * (1.0 - balance) + p->strain_gaming * integrity * gaming;
    double burden = p->distress_moral * strain + p->distress_paperwork * assurance;
    burden += p->distress_overload * overload + p->distress_fear * fear;
    double recovery = p->distress_recovery * one->distress * (0.5 + support * trust);
    one->distress = one->distress + p->distress_gain * (1.0 - one->distress) * burden - recovery;

    o->sanctioned += sanctioned, o->spared[lane] += spared, o->unpunished[lane] += unpunished;
    o->spoken += spoken, o->reported[lane] += reported, o->effort[lane] += effort;

    r->monitoring = o->monitoring, r->relationship = relationship, r->effort = effort, r->assurance = assurance;
    r->time_left = w, r->overload = overload;
    r->quality = service * (1.0 - p->gaming_cost * gaming) * balance * fit - harm;
    r->reported = reported, r->honest_indicator = honest, r->gaming = gaming, r->harm = harm;
    r->moral_strain = strain, r->initiative_rate = tried, r->successes = succeeded, r->needless = needless;
    r->slips = slipped, r->negligence = negligent, r->spoken = spoken;
    r->sanctions = sanctioned, r->unfair = unfair, r->spared = spared, r->misfit = distance;
    r->unpunished = unpunished, r->support = support, r->targets_level = lever->targets;
    r->deviation = one->practice - c->standard;
    r->deviation_squared = r->deviation * r->deviation;
}

static inline double fear_after(const post *one, const row *r, const place *o, double system_sanctioned,
                                const climate *c) {
    const values *p = c->p;
    const levers *lever = c->lever;
    double fear = one->who.fear, anxiety = one->who.anxiety;
    double watched = o->felt + (1.0 - o->felt) * p->fear_targets * lever->targets;
    double ambient = anxiety * p->fear_ambient * watched * lever->punitiveness * c->stakes * (1.0 - one->trust);
    fear += p->fear_extinction * (smaller(ambient, 1.0) - fear) + p->fear_conformity * (o->fear - fear);
    double near = c->colleague * (o->sanctioned - r->sanctions), far = c->stranger * (system_sanctioned - o->sanctioned);
    if (near + far > 0.0) {
        double calm = decline(smaller(anxiety * p->fear_peer_blamed, 1.0), near);
        calm = calm + decline(smaller(2.0 * anxiety * lever->publicity * p->fear_system, 1.0), far);
        fear += (1.0 - fear) * (1.0 - own_exp(calm));
    }
    double mercy = c->colleague * (fold(o->spared) - r->spared);
    if (mercy > 0.0) fear -= fear * (1.0 - own_exp(decline(p->fear_peer_spared, mercy)));
    fear += r->sanctions * smaller(anxiety * p->fear_blamed, 1.0) * (1.0 - fear);
    return fear - r->spared * p->fear_spared * fear;
}

static inline double trust_after(const post *one, const row *r, const place *o, const values *p) {
    double trust = one->trust, wear = (p->trust_control * o->felt + p->trust_decay) * trust;
    trust += p->trust_invest * r->support * (1.0 - trust) - wear + p->trust_conformity * (o->trust - trust);
    trust -= r->sanctions * (r->unfair > 0.0 ? p->trust_unfair : p->trust_fair) * trust;
    return trust + r->spared * p->trust_spared * (1.0 - trust);
}

static inline double confidence_after(const post *one, const row *r, double m, const climate *c) {
    const values *p = c->p;
    double confidence = one->confidence;
    double growth = p->confidence_invest * r->support + p->confidence_feedback * m * (1.0 - one->who.fear);
    confidence += growth * (1.0 - confidence) + p->confidence_idle * (0.5 - confidence);
    confidence += r->successes * p->confidence_success * (0.5 + c->lever->recognition) * (1.0 - confidence);
    double failed = r->initiative_rate - r->successes;
    confidence -= failed * p->confidence_failure * confidence * (1.0 - 0.5 * one->trust);
    return confidence - r->sanctions * p->confidence_blamed * confidence;
}

static inline double cooperation_after(const post *one, double m, const climate *c) {
    const values *p = c->p;
    double incentive = c->lever->cooperation_incentive;
    double inclination = one->trust - one->who.fear - 0.2 + p->cooperation_reciprocity * (c->cooperation - 0.5);
    inclination = inclination + incentive;
    inclination -= p->cooperation_rivalry * c->lever->targets * (1.0 - incentive);
    inclination += p->cooperation_oversight * m * incentive;
    double drawn = logistic(p->cooperation_sensitivity * inclination);
    return one->cooperation + p->cooperation_speed * (drawn - one->cooperation);
}

static inline void learn(post *restrict one, row *restrict r, const place *restrict o, double system_sanctioned,
                         const climate *restrict c) {
    const values *p = c->p;
    double m = o->felt, support = r->support;
    double fear = fear_after(one, r, o, system_sanctioned, c), trust = trust_after(one, r, o, p);
    double growth = p->skill_invest * support + p->skill_feedback * m * (1.0 - one->who.fear);
    double skill = one->who.skill + growth * (1.0 - one->who.skill) - p->skill_decay * one->who.skill;
    r->practice_gain = r->initiative_rate > 0.0 ? p->skill_practice * (1.0 - skill) : 0.0;
    one->confidence = clip(confidence_after(one, r, m, c));
    one->cooperation = clip(cooperation_after(one, m, c));
    one->who.skill = clip(skill + r->practice_gain);
    one->who.integrity = clip(one->who.integrity + p->integrity_invest * support * (1.0 - one->who.integrity));
    double unpunished = c->colleague * (fold(o->unpunished) - r->unpunished);
    one->motivation = clip(one->motivation - p->impunity * one->motivation * unpunished / 12.0);
    one->distress = clip(one->distress);
    one->who.fear = clip(fear), one->trust = clip(trust);
}

static person newcomer(uint64_t seed, int stream, size_t index, uint64_t count, double organisation_fear,
                       double nation_fear, const values *p) {
    double u[8];
    keyed(seed, stream, index, count, u);
    return drawn_person(u, -p->deterred_entry * nation_fear, 0.1 + 0.5 * organisation_fear, p);
}

static void replace(post *one, row *r, const place *o, size_t index, size_t month, double nation_fear, uint64_t seed,
                    market *m, const levers *lever, const values *p) {
    candidate *people = m->people;
    candidate leaver = {one->who, (double)month};
    leaver.who.record += r->dismissals;
    uint64_t count = ++one->appointments;
    double u[8];
    keyed(seed, APPOINTMENT, index, count, u);
    bool struck_off = r->dismissals > 0.0 && u[6] < lever->disbarring;
    long chosen = -1;
    if (u[0] < p->recycling && m->waiting > 0) {
        chosen = (long)(u[1] * (double)m->waiting);
        if (people[chosen].who.record > 0.0 && u[2] < lever->register_) chosen = -1;
    }
    one->who = chosen >= 0 ? people[chosen].who : newcomer(seed, NEWCOMER, index, count, o->fear, nation_fear, p);
    if (u[3] < lever->competency_standard) {
        double to_beat = one->who.skill + p->assessment_noise * normal(u[4]);
        person rival = newcomer(seed, RIVAL, index, count, o->fear, nation_fear, p);
        if (rival.skill + p->assessment_noise * normal(u[5]) > to_beat) one->who = rival, chosen = -1;
    }
    begin(one);
    one->trust = 0.35 + 0.3 * o->trust;
    if (chosen >= 0) {
        r->recycled = 1.0;
        people[chosen] = people[--m->waiting];
    }
    if (!struck_off) people[m->waiting++] = leaver;
}

static inline void record_stocks(const post *one, row *r) {
    double fear = one->who.fear, trust = one->trust;
    r->fear = fear, r->trust = trust, r->confidence = one->confidence, r->skill = one->who.skill;
    r->integrity = one->who.integrity, r->distress = one->distress, r->motivation = one->motivation;
    r->cooperation = one->cooperation;
    r->fearful = fear > 0.5, r->toxic = fear > 0.5 && trust < 0.5;
    r->record_share = one->who.record > 0.0;
}

static void add_rows(const row *restrict rows, size_t count, double (*restrict sums)[FIELDS]) {
    for (size_t i = 0; i < count; i++)
        for (int field = 0; field < FIELDS; field++) sums[i % LANES][field] += ((const double *)&rows[i])[field];
}

static void add_kept(const row *restrict rows, size_t count, double *restrict totals) {
    for (size_t i = 0; i < count; i++)
        for (int field = 0; field < KEPT; field++) totals[i * KEPT + field] += ((const double *)&rows[i])[field];
}

static void run(uint64_t seed, const values *p, const levers *lever, const sizes *n, double *sums, double *totals,
                double *last) {
    size_t per_system = n->organisations * n->managers, all_places = n->systems * n->organisations;
    post *posts = allocated(n->systems * per_system * sizeof *posts);
    place *places = allocated(all_places * sizeof *places);
    row *rows = allocated(per_system * sizeof *rows);
    draws *u = aligned_alloc(64, per_system * sizeof *u);
    double *shock = allocated(per_system * sizeof *shock), *chance = allocated(per_system * sizeof *chance);
    double *cooperation = allocated(n->systems * sizeof *cooperation);
    market m = {0};
    double common_sd = p->need_sd * sqrt(p->common_need), local_sd = p->need_sd * sqrt(1.0 - p->common_need), v[8];
    double kept = 1.0 - p->need_turnover, moved = sqrt(1.0 - kept * kept);
    lanes state;
    seed_lanes(&state, seed);
    keyed(seed, NATION, 0, 0, v);
    climate c = {.p = p, .common = common_sd * normal(v[0]), .local_shock = local_sd * moved};
    c.colleague = n->managers > 1 ? 11.0 / (double)(n->managers - 1) : 0.0;
    c.stranger = n->organisations > 1 ? 48.0 / (double)((n->organisations - 1) * n->managers) : 0.0;
    c.standard = c.common;
    start(posts, places, n, c.standard, local_sd, p, seed);
    for (size_t s = 0; s < n->systems; s++) cooperation[s] = mean_cooperation(posts + s * per_system, per_system);

    double national[LANES][FIELDS];
    for (size_t month = 0; month < n->months; month++) {
        c.lever = &lever[month];
        c.stakes = 1.0 + p->career_stakes * 0.5 * (c.lever->register_ + c.lever->disbarring);
        leave_market(&m, (double)month, p->market_months);
        memset(national, 0, sizeof national);
        double mean_reputation = 0.0, nation_fear = 0.0;
        for (size_t o = 0; o < all_places; o++) mean_reputation += places[o].reputation, nation_fear += places[o].fear;
        mean_reputation /= (double)all_places, nation_fear /= (double)all_places;
        for (size_t s = 0; s < n->systems; s++) {
            post *here = posts + s * per_system;
            place *local = places + s * n->organisations;
            draw_lanes(&state, per_system, u);
            draw_normals(per_system, u, shock, chance);
            c.cooperation = cooperation[s];
            c.overload = overload_of(c.cooperation, c.lever, p);
            double sanctioned = 0.0;
            for (size_t o = 0, i = 0; o < n->organisations; o++) {
                set_oversight(&local[o], here[i].who.fear, mean_reputation, &c);
                for (size_t end = i + n->managers; i < end; i++)
                    decide(&here[i], &rows[i], &local[o], &u[i], chance[i], i % LANES, &c);
            }
            for (size_t o = 0; o < n->organisations; o++) sanctioned += local[o].sanctioned;
            for (size_t o = 0, i = 0; o < n->organisations; o++) {
                for (size_t end = i + n->managers; i < end; i++) {
                    here[i].method += rows[i].successes * p->innovation * (2.0 - here[i].method);
                    here[i].method = here[i].method - p->innovation_decay * (here[i].method - 1.0);
                    here[i].need = kept * here[i].need + c.local_shock * shock[i];
                    double away = c.standard - here[i].practice;
                    here[i].practice += p->standard_pull * c.lever->standardisation * away;
                    learn(&here[i], &rows[i], &local[o], sanctioned, &c);
                }
                place *at = &local[o];
                at->reputation += (fold(at->reported) / (double)n->managers - at->reputation) / 6.0;
                at->mean_effort = fold(at->effort) / (double)n->managers;
                double told = 12.0 / (double)n->managers * at->spoken;
                at->safety = clip(at->safety + p->safety_learning * told * (1.0 - at->safety) -
                                  p->safety_decay * at->safety);
            }
            make_room(&m, per_system + 1);
            for (size_t o = 0, i = 0; o < n->organisations; o++) {
                for (size_t end = i + n->managers; i < end; i++) {
                    post *one = &here[i];
                    row *r = &rows[i];
                    double worn = p->exit_distress * one->distress * one->distress;
                    double leaving = p->exit_base + worn + p->exit_fear * one->who.fear * (1.0 - one->trust);
                    bool dismissed = r->sanctions > 0.0 && u[i].dismissal < p->dismissal;
                    bool left = dismissed || u[i].exit < smaller(leaving, 1.0);
                    r->dismissals = dismissed, r->exits = left, r->recycled = 0.0;
                    if (left)
                        replace(one, r, &local[o], s * per_system + i, month, nation_fear, seed, &m, c.lever, p);
                    record_stocks(one, r);
                }
                set_organisation_climate(&local[o], &here[o * n->managers], o * n->managers, n->managers);
            }
            cooperation[s] = mean_cooperation(here, per_system);
            add_rows(rows, per_system, national);
            if (month + n->window >= n->months) add_kept(rows, per_system, totals + s * per_system * KEPT);
            if (month + 1 == n->months)
                for (size_t i = 0; i < per_system; i++) {
                    last[2 * (s * per_system + i)] = rows[i].reported;
                    last[2 * (s * per_system + i) + 1] = rows[i].honest_indicator;
                }
        }
        for (int field = 0; field < FIELDS; field++) {
            double lane[LANES];
            for (int k = 0; k < LANES; k++) lane[k] = national[k][field];
            sums[month * FIELDS + field] = fold(lane);
        }
        keyed(seed, NATION, 0, month + 1, v);
        c.common = kept * c.common + common_sd * moved * normal(v[0]);
        c.standard += (c.common - c.standard) / p->standard_lag;
    }
    free(posts), free(places), free(rows), free(u), free(shock), free(chance), free(cooperation), free(m.people);
}

/* The random numbers that every manager needs every month, and nothing else. */
static double draw_only(uint64_t seed, const sizes *n) {
    size_t per_system = n->organisations * n->managers;
    draws *u = aligned_alloc(64, per_system * sizeof *u);
    double *shock = allocated(per_system * sizeof *shock), *chance = allocated(per_system * sizeof *chance), kept = 0.0;
    lanes state;
    seed_lanes(&state, seed);
    for (size_t turn = 0; turn < n->months * n->systems; turn++) {
        draw_lanes(&state, per_system, u);
        draw_normals(per_system, u, shock, chance);
        kept += shock[0] + chance[0];
    }
    free(u), free(shock), free(chance);
    return kept;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv) {
    if (argc != 10) return fputs("nine arguments are needed, see the top of kernel.c\n", stderr), 2;
    uint64_t seed = strtoull(argv[2], NULL, 10);
    size_t given[6];
    for (int k = 0; k < 6; k++) given[k] = strtoull(argv[3 + k], NULL, 10);
    sizes n = {given[0], given[1], given[2], given[3], given[4]};
    size_t all_posts = n.systems * n.organisations * n.managers;
    values p;
    levers *lever = allocated(n.months * sizeof *lever);
    FILE *input = fopen(argv[1], "rb");
    if (!input || fread(&p, sizeof p, 1, input) != 1 || fread(lever, sizeof *lever, n.months, input) != n.months)
        return fputs("the input is too short\n", stderr), 1;
    fclose(input);
    double *sums = allocated(n.months * FIELDS * sizeof *sums), *totals = allocated(all_posts * KEPT * sizeof *totals);
    double *last = allocated(all_posts * 2 * sizeof *last), whole = DBL_MAX, drawing = DBL_MAX;
    volatile double drawn = 0.0;
    for (size_t turn = 0; turn < given[5]; turn++) {
        memset(sums, 0, n.months * FIELDS * sizeof *sums), memset(totals, 0, all_posts * KEPT * sizeof *totals);
        double started = now();
        run(seed, &p, lever, &n, sums, totals, last);
        whole = smaller(now() - started, whole);
        started = now();
        drawn += draw_only(seed, &n);
        drawing = smaller(now() - started, drawing);
    }
    FILE *output = fopen(argv[9], "wb");
    if (!output || fwrite(sums, sizeof *sums, n.months * FIELDS, output) != n.months * FIELDS ||
        fwrite(totals, sizeof *totals, all_posts * KEPT, output) != all_posts * KEPT ||
        fwrite(last, sizeof *last, all_posts * 2, output) != all_posts * 2 || fclose(output))
        return fputs("the output cannot be written\n", stderr), 1;
    printf("%.9g %.9g\n", whole, drawing);
    return 0;
}
