#include "coordinator/auth/sigv4_time.h"

#include <time.h>

enum { DAY_S = 86400 };

static const char epoch_max[] = "99991231T235959Z";

static bool read_number(struct slice text, size_t at, size_t digit_count, uint32_t *number_out)
{
	uint32_t number = 0;

	for (size_t i = at; i < at + digit_count; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		number = number * 10 + (uint32_t)(text.data[i] - '0');
	}
	*number_out = number;
	return true;
}

static bool is_leap_year(uint32_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static uint32_t days_in_month(uint32_t year, uint32_t month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap_year(year) ? 1u : 0u);
}

/* Days from 1970-01-01; the calendar is counted, not looked up in a time zone. */
static uint64_t days_since_epoch(uint32_t year, uint32_t month, uint32_t day)
{
	uint64_t year_before = year - 1;
	uint64_t days = year_before * 365 + year_before / 4 - year_before / 100 + year_before / 400;

	for (uint32_t i = 1; i < month; i++)
		days += days_in_month(year, i);
	return days + day - 1 - 719162; /* the days before 1970 */
}

enum status sigv4_time_parse(struct slice text, uint64_t *epoch_s_out)
{
	uint32_t year;
	uint32_t month;
	uint32_t day;
	uint32_t hour;
	uint32_t minute;
	uint32_t second;

	if (text.size != SIGV4_TIME_SIZE || text.data[8] != 'T' || text.data[15] != 'Z')
		return ST_INVALID;
	if (!read_number(text, 0, 4, &year) || !read_number(text, 4, 2, &month) ||
	    !read_number(text, 6, 2, &day) || !read_number(text, 9, 2, &hour) ||
	    !read_number(text, 11, 2, &minute) || !read_number(text, 13, 2, &second))
		return ST_INVALID;
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
		return ST_INVALID;
	if (hour > 23 || minute > 59 || second > 59)
		return ST_INVALID;
	*epoch_s_out = days_since_epoch(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second;
	return ST_OK;
}

void sigv4_time_format(uint64_t epoch_s, char out[SIGV4_TIME_SIZE + 1])
{
	time_t seconds = (time_t)epoch_s;
	struct tm parts;

	memcpy(out, epoch_max, sizeof(epoch_max));
	if (gmtime_r(&seconds, &parts) == NULL || parts.tm_year > 9999 - 1900)
		return;
	(void)strftime(out, SIGV4_TIME_SIZE + 1, "%Y%m%dT%H%M%SZ", &parts);
}
