/* Test data: what fill.h declares. */
#include "fill.h"

#include "random.h"

#include <float.h>
#include <math.h>

const char *fill_name(fill kind)
{
    static const char *const names[] = {
#define FILL_NAME(name, why) #name,
        FILL_LIST(FILL_NAME)
#undef FILL_NAME
    };
    return names[kind];
}

static float clamped(double value)
{
    return value > FLT_MAX ? FLT_MAX : value < -FLT_MAX ? -FLT_MAX : (float)value;
}

static float scale_of(float temperature)
{
    return isinf(temperature) || temperature > 1e36f ? 1e36f : temperature;
}

static float usual(fill kind, uint64_t *random, float temperature)
{
    double unit = random_unit(random), scale = scale_of(temperature);
    switch (kind) {
    case FILL_WIDE:
        return clamped(-110 * unit * scale);
    case FILL_SUBNORMAL:
        return (float)((unit - 0.5) * 0x1p-125);
    case FILL_HUGE_LOGITS:
        return clamped((unit - 0.5) * 2 * FLT_MAX);
    case FILL_PATTERN: {
        float value = random_pattern(random);
        return isfinite(value) || random_below(random, 2000) == 0 ? value : 1.0f;
    }
    default:
        return clamped(-5 * unit * scale);
    }
}

static void fill_row(fill kind, uint64_t *random, float temperature, size_t classes, float *x)
{
    float scale = scale_of(temperature), base = usual(FILL_NARROW, random, temperature);
    float offset = clamped((random_unit(random) - 0.5) * 2000000 * scale);
    uint64_t only_masks = random_below(random, 8);
    for (size_t i = 0; i < classes; i++) {
        x[i] = kind == FILL_FLAT || kind == FILL_PEAK ? base : usual(kind, random, temperature);
        if (kind == FILL_OFFSET)
            x[i] = clamped((double)x[i] + offset);
        if (kind == FILL_MASKED && (only_masks == 0 || random_below(random, 3) == 0))
            x[i] = -INFINITY;
    }
    if (kind == FILL_PEAK)
        x[random_below(random, classes)] = clamped(base + random_unit(random) * 20 * scale);
}

void fill_matrix(fill kind, uint64_t *random, float temperature, size_t rows, size_t classes, float *x)
{
    for (size_t row = 0; row < rows; row++)
        fill_row(kind, random, temperature, classes, x + row * classes);
}

float fill_temperature(uint64_t *random)
{
    static const float borders[] = {0, 0x1p-149f, 0x1p-126f, 0x1p-62f, 1, 0x1p62f, FLT_MAX, INFINITY};
    switch (random_below(random, 8)) {
    case 0: {
        float border = borders[random_below(random, sizeof borders / sizeof *borders)];
        float neighbours[3] = {border > 0 ? nextafterf(border, 0) : 0, border, nextafterf(border, INFINITY)};
        return neighbours[random_below(random, 3)];
    }
    case 1: {
        float value = fabsf(random_pattern(random));
        return isnan(value) ? 1 : value;
    }
    default:
        return (float)exp((random_unit(random) - 0.5) * 14); /* 1e-3 to 1e3 */
    }
}

int fill_is_ordinary(const float *x, size_t classes)
{
    int finite = 0;
    for (size_t i = 0; i < classes; i++) {
        if (isnan(x[i]) || x[i] == INFINITY)
            return 0;
        finite |= isfinite(x[i]);
    }
    return finite;
}
