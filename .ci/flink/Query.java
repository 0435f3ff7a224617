import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

/** Runs the statements of a file with Flink SQL, and prints the rows of the last statement: Query FILE */
class Query {
    public static void main(String[] arguments) throws Exception {
        TableEnvironment environment = TableEnvironment.create(EnvironmentSettings.inBatchMode());
        String text = Files.readString(Path.of(arguments[0])).replaceAll("(?m)^ *--.*$", "");
        TableResult result = null;
        for (String statement : text.split(";")) {
            if (!statement.isBlank()) {
                result = environment.executeSql(statement);
            }
        }
        try (CloseableIterator<Row> rows = result.collect()) {
            while (rows.hasNext()) {
                Row row = rows.next();
                List<String> fields = new ArrayList<>();
                for (int field = 0; field < row.getArity(); field++) {
                    fields.add(String.valueOf(row.getField(field)));
                }
                System.out.println(String.join(" ", fields));
            }
        }
    }
}
