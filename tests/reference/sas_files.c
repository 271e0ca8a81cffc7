// Writes cohort.sas7bdat and cohort.sas7bcat, the four patients of test_damaged_files.py as SAS
// keeps them: codes in the table, their labels in a catalogue of formats.
//
// With the sources of ReadStat, as pyreadstat 1.3.7 has them in src:
// cc -Isrc sas_files.c src/*.c src/{sas,spss,stata}/*.c -lm -lz -o sas_files && ./sas_files
#include <fcntl.h>
#include <readstat.h>
#include <stddef.h>
#include <unistd.h>

static ssize_t put(const void *bytes, size_t size, void *file) {
    return write(*(int *)file, bytes, size);
}

static readstat_writer_t *open_writer(const char *path, int *file) {
    *file = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    readstat_writer_t *writer = readstat_writer_init();
    readstat_set_data_writer(writer, &put);
    readstat_writer_set_file_timestamp(writer, 0);
    return writer;
}

static void write_catalogue(const char *path) {
    int file;
    readstat_writer_t *writer = open_writer(path, &file);
    readstat_label_set_t *arm = readstat_add_label_set(writer, READSTAT_TYPE_DOUBLE, "ARMF");
    readstat_label_double_value(arm, 1, "Old");
    readstat_label_double_value(arm, 2, "New");
    readstat_label_set_t *sex = readstat_add_label_set(writer, READSTAT_TYPE_DOUBLE, "SEXF");
    readstat_label_double_value(sex, 1, "Male");
    readstat_label_double_value(sex, 2, "Female");
    readstat_begin_writing_sas7bcat(writer, &file);
    readstat_end_writing(writer);
    readstat_writer_free(writer);
    close(file);
}

static void write_table(const char *path) {
    const char *id[] = {"a", "b", "c", "d"};
    const char *names[] = {"group", "days", "dead", "sex", "marker", "ae_rash"};
    const double missing = -1;
    const double values[4][6] = {{1, 60, 0, 1, 1.5, 0},
                                 {2, 45, 1, 2, 2, 3},
                                 {2, 30, 1, 1, missing, missing},
                                 {1, 90, 0, 2, 4, 1}};
    int file;
    readstat_writer_t *writer = open_writer(path, &file);
    readstat_variable_t *patient = readstat_add_variable(writer, "id", READSTAT_TYPE_STRING, 8);
    readstat_variable_t *variables[6];
    for (int j = 0; j < 6; j++)
        variables[j] = readstat_add_variable(writer, names[j], READSTAT_TYPE_DOUBLE, 8);
    readstat_variable_set_format(variables[0], "ARMF");
    readstat_variable_set_format(variables[3], "SEXF");
    readstat_variable_set_label(variables[3], "Sex of the patient");
    readstat_begin_writing_sas7bdat(writer, &file, 4);
    for (int i = 0; i < 4; i++) {
        readstat_begin_row(writer);
        readstat_insert_string_value(writer, patient, id[i]);
        for (int j = 0; j < 6; j++)
            if (values[i][j] == missing)
                readstat_insert_missing_value(writer, variables[j]);
            else
                readstat_insert_double_value(writer, variables[j], values[i][j]);
        readstat_end_row(writer);
    }
    readstat_end_writing(writer);
    readstat_writer_free(writer);
    close(file);
}

int main(void) {
    write_catalogue("cohort.sas7bcat");
    write_table("cohort.sas7bdat");
}
